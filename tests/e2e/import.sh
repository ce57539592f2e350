#!/usr/bin/env bash
# What 'amtd import' makes of a conserver.cf with everything in it is a configuration without a mistake, and amtd starts on it.
#   import.sh DIRECTORY-OF-PROGRAMS
# shellcheck source=tests/e2e/amtd_lib.sh
. "$(dirname "$0")/amtd_lib.sh"
cat > "$dir/conserver.cf" << END
break 1 { string "\z"; delay 250; }
break 5 { string "+++\d\z"; delay 300; confirm yes; }
default full { type exec; exec cat; logfile $dir/&; logfilemax 64k; timestamp 1h; rw root; ro nobody; break 5;
    idletimeout 4h; idlestring "\r"; initcmd "echo hi"; options ondemand,autoreinit; }
default line { type device; device $dir/tty; baud 115200; parity even; options hupcl,cstopb,ixon; }
group ops { users root,nobody; }
console a { include full; }
console b { include line; break 2; rw ops; aliases bb; motd hello; }
console c { type host; host 127.0.0.1; port 1; protocol raw; portbase 2000; portinc 1; }
console d { type host; host 127.0.0.1; port 23; protocol telnet; }
console e { type uds; uds $dir/x.sock; master localhost; }
console f { type ipmi; host h; username u; password s3cret; }
console g { type noop; }
console "odd name" { type exec; }
config * { logfile /var/log/conserver; daemonmode yes; passwdfile /etc/p; sslrequired yes; }
access * { allowed 127.0.0.1; trusted 10.0.0.0/8; admin root; limited nobody; }
task a { cmd "ls"; description "list"; }
END
exits 1 amtd import "$dir/conserver.cf" # some are left out, and said
cp "$dir/out" "$dir/amtd.yaml"
says "$dir/err" 'console f: IPMI'
! grep -qF s3cret "$dir/out" "$dir/err" || fail 'a password was shown'
exits 0 amtd --check --config "$dir/amtd.yaml"
amtd_start --config "$dir/amtd.yaml"
for name in a b c d e; do
    amtcli console show $name -o json > "$dir/out" || fail "console $name is not there"
done
[ "$(amtcli console show b -o json | jq -r '.breaks["5"]')" = '+++\d\z' ] || fail 'breaks'
exits 2 amtcli console break a --which 9
echo ok
