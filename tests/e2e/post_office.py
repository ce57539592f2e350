#!/usr/bin/env python3
# A mail server (SMTP, with STARTTLS and a login when there is a certificate) and a web server that takes posts.
#   post_office.py DIRECTORY [CERT KEY]: writes the ports to DIRECTORY/ports, each mail to DIRECTORY/mails and each
#   post to DIRECTORY/posts; refuses with 451 or 503 as long as DIRECTORY/refuse is there, for good as long as
#   DIRECTORY/forbid is.
import base64, http.server, os, socketserver, ssl, sys, threading

directory = sys.argv[1]
context = None
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])


def there(name):
    return os.path.exists(os.path.join(directory, name))


def keep(name, text):
    with open(os.path.join(directory, name), "a", encoding="utf-8") as file:
        file.write(text + "\n")


class Smtp(socketserver.StreamRequestHandler):
    secure = user = None

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self.say("220 post office")
        while line := self.rfile.readline(4096).decode().strip():
            verb = line.split()[0].upper()
            getattr(self, "on_" + verb.lower(), self.on_other)(line)
            if verb == "QUIT":
                break

    def on_other(self, line):
        self.say("250 ok")

    def on_ehlo(self, line):
        self.say("250-post office")
        if context and not self.secure:
            self.say("250-STARTTLS")
        self.say("250 AUTH PLAIN" if self.secure or not context else "250 8BITMIME")

    def on_starttls(self, line):
        self.say("220 go")
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.secure = True

    def on_auth(self, line):
        words = line.split()
        if len(words) < 3:
            self.say("334 ")
            words.append(self.rfile.readline(4096).decode().strip())
        self.user = base64.b64decode(words[2]).decode().split("\0")
        self.say("235 welcome" if self.user[1:] == ["amtd", "s3cret"] else "535 no")

    def on_rcpt(self, line):
        self.say("451 later" if there("refuse") else "550 never" if there("forbid") else "250 ok")
        keep("tries", line)

    def on_data(self, line):
        self.say("354 go on")
        text = []
        while (line := self.rfile.readline(65536).decode()) not in (".\r\n", ""):
            text.append(line.rstrip("\r\n"))
        keep("mails", "\n".join([f"X-User: {self.user}", f"X-Secure: {self.secure}", *text, "=end="]))
        self.say("250 taken")

    def on_quit(self, line):
        self.say("221 bye")


class Web(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        code = 503 if there("refuse") else 403 if there("forbid") else 200
        if code == 200:
            keep("posts", body)
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


smtp = Server(("127.0.0.1", 0), Smtp)
web = Server(("127.0.0.1", 0), Web)
if context:
    web.socket = context.wrap_socket(web.socket, server_side=True)
threading.Thread(target=smtp.serve_forever, daemon=True).start()
with open(os.path.join(directory, "ports.new"), "w") as file:
    file.write(f"{smtp.server_address[1]} {web.server_address[1]}\n")
os.rename(os.path.join(directory, "ports.new"), os.path.join(directory, "ports"))
web.serve_forever()
