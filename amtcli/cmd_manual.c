/* manual: the man page, made from the same tables as help and parsing, so that it cannot part from them. */
#include <stdio.h>
#include <string.h>

#include "amtcli/cmd_daemon.h"

#define TEXT_MAX 4096

static const char before[] =
    ".Dd November 21, 2026\n.Dt AMTCLI 1\n.Os\n.Sh NAME\n.Nm amtcli\n.Nd out-of-band management of Intel AMT "
    "fleets\n"
    ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar operand ...\n.Op Ar option ...\n.Sh DESCRIPTION\n.Nm\n"
    "asks\n.Xr amtd 8\nto do things to hosts, and prints what became of each.\n"
    "When no\n.Xr amtd 8\nruns, a private one is started; it ends when it has been idle for a while.\n"
    ".Ss Targets\nMost commands take a target: which hosts.\n.Bl -tag -width Ds\n"
    ".It Cm pc7\na host\n.It Cm pc[001-120,130]\na range; leading zeros give the width\n"
    ".It Cm @lab\na collection\n.It Cm where:tag.site = \\(dqlab\\(dq and amt.version >= 11\na query\n"
    ".It Cm all\nevery host\n.El\n.Pp\nParts are joined by commas; what begins with\n.Sq \\&!\nor\n.Sq -\n"
    "is taken away from all the others:\n.Ql @lab,!pc[001-003] .\n"
    ".Ss Queries\nA query compares fields with values:\n.Cm = ,\n.Cm != ,\n.Cm < ,\n.Cm <= ,\n.Cm > ,\n.Cm "
    ">= ,\n"
    ".Cm ~\n(shell pattern),\n.Cm in (a, b) ,\n.Cm has Ar field ,\njoined by\n.Cm and ,\n.Cm or ,\n.Cm not\n"
    "and brackets.\nFields are\n.Cm name ,\n.Cm address ,\n.Cm profile ,\n.Cm tag. Ns Ar NAME\n"
    "and what was learned:\n.Cm power ,\n.Cm reach ,\n.Cm amt.version ,\n.Cm amt.state ,\n.Cm amt.mode "
    ",\n.Cm amt.uuid\n"
    "and others that\n.Ic host show\nlists.\nVersions and numbers compare by number.\n"
    ".Ss Safety\nA command that changes more than ten hosts asks first, unless\n.Fl -yes\nis given; without "
    "a terminal it is"
    " refused with exit status 4.\n.Fl -dry-run\nshows what would be done to whom.\n"
    "Ctrl-C stops what has not begun; what has begun is finished and reported.\nA second Ctrl-C leaves the "
    "run to\n"
    ".Xr amtd 8 .\nA wrong password is tried once per host and run; between two passwords for one device 20 "
    "seconds pass,\n"
    "because firmware locks accounts.\n"
    ".Ss Other machines\nIn front of a command,\n.Fl -server Ar name\nmeans the amtd of another machine, by "
    "its name or address;\n.Ic join\nmakes it known, see\n.Pa nodes.md .\n"
    ".Ss Consoles\nA console is one that\n.Xr amtd.yaml 5\nnames, or a host by its name: its "
    "Serial-over-LAN.\n"
    "One user at a time may write; all others watch, and may ask for the right to write or take it.\n"
    "On an attached terminal\n.Ql ^Ec\nand a letter do the rest:\n.Ql ^Ec \\&?\nlists them,\n.Ql ^Ec "
    "\\&.\nleaves.\n"
    "Typed keys can be mapped to what firmware screens take, with a mapping of\n.Fl -keys\nor a file of "
    "lines\n"
    ".Ql KEY = BYTES ,\nsuch as\n.Ql F10 = \\ee0 ;\n.Ql base = vt100+\nbegins with that mapping.\n"
    "Keys are Enter, Backspace, Up, Down, Left, Right,\nHome, End, Insert, Delete, PageUp, PageDown, F1 to "
    "F12.\n"
    "A script waits for texts with\n.Fl -expect\nand types with\n.Fl -send ;\n"
    "its exit status is 0 when all came, and 1 when a time-out passed.\n.Sh COMMANDS\n";

static const char after[] =
    ".Sh OUTPUT\nResults go to standard output, everything else to standard error.\n.Fl o Cm json\n"
    "prints an array with one object per host:\n.Va host , result\n(\\(dqok\\(dq or \\(dqfailed\\(dq),\n.Va "
    "from , to , seconds , tries ,\n"
    "and when it failed\n.Va cause , code , message , hint .\n"
    "A list is an array with an object a line.\nWhere it could not be had whole, the array has no end, and "
    "the exit\n"
    "status tells.\n"
    ".Fl o Cm csv\nprints RFC 4180.\n"
    "In tables, equal results share a line with\n.Fl b ,\nand on a terminal above fifty hosts.\n"
    ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n.It Ev AMTD_SOCKET\nThe socket of\n.Xr amtd 8 .\n"
    ".It Ev AMTD_STATE_DIR\nIts state directory, where the socket is.\n"
    ".It Ev AMTD_SERVER\nThe server on another machine, as\n.Fl -server .\n"
    ".It Ev AMTCLI_ESCAPE , AMTCLI_KEYS , AMTCLI_CHARSET\nWhat\n.Cm console\ntakes when the option is not "
    "given.\n.El\n"
    ".Sh EXIT STATUS\n.Bl -tag -width Ds -compact\n.It 0\nall succeeded\n.It 1\nsome failed\n.It 2\nwrong "
    "usage, or what was"
    " named is not there\n.It 3\nno daemon\n.It 4\nrefused: not confirmed, or not allowed\n.El\n"
    ".Sh SEE ALSO\n.Xr amtd.yaml 5 ,\n.Xr amtd 8\n";

/* Text that mdoc does not read as anything else. */
static void put_text(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i == 0 && (text[i] == '.' || text[i] == '\''))
            fputs("\\&", stdout);
        if (text[i] == '\\')
            fputs("\\e", stdout);
        else
            putchar(text[i]);
    }
}

static void put_option(const struct option_row *row)
{
    struct buf text = buf_init(TEXT_MAX);

    fputs(".It ", stdout);
    if (row->letter)
        printf("Fl %c , ", row->letter);
    printf("Fl -%s", row->name);
    if (row->bare)
        printf(" Ns Op = Ns Ar %s", row->value);
    else if (row->value)
        printf(" Ar %s", row->value);
    putchar('\n');
    option_describe(row, &text);
    put_text(buf_str(&text), text.len);
    putchar('\n');
    buf_free(&text);
}

static bool is_empty(const struct option_row *const *tables)
{
    for (; *tables; tables++)
        if ((*tables)->name)
            return false;
    return true;
}

static void put_options(const struct option_row *const *tables)
{
    if (is_empty(tables)) /* a list without items is a mistake */
        return;
    puts(".Bl -tag -width Ds");
    for (; *tables; tables++)
        for (const struct option_row *row = *tables; row->name; row++)
            put_option(row);
    puts(".El");
}

static void put_command(const struct command *command)
{
    const char *line = command->examples;

    printf(".Ss %s\n.Nm amtcli\n.Cm %s\n", command->name, command->name);
    if (command->operands[0])
        printf(".Ar %s\n", command->operands);
    puts(command->options ? ".Op Ar option ...\n.Pp" : ".Pp");
    put_text(command->summary, strlen(command->summary));
    puts(".");
    if (command->options)
        put_options(command->options);
    if (!command->examples[0])
        return;
    puts(".Bd -literal -offset indent");
    while (line[0]) {
        size_t n = strcspn(line, "\n");

        fputs("$ amtcli ", stdout);
        put_text(line, n);
        putchar('\n');
        line += n + (line[n] == '\n');
    }
    puts(".Ed");
}

static int manual(struct context *ctx)
{
    (void)ctx;
    fputs(before, stdout);
    for (size_t i = 0; commands[i]; i++)
        put_command(commands[i]);
    fputs(after, stdout);
    return EXIT_ALL;
}

const struct command command_manual = {
    "manual", "", 0, 0, "print the man page, as mdoc", NULL, "manual | man -l -", manual};
