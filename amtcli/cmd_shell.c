/* shell: commands line by line, with history and completion. */
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amtcli/cmd_shell.h"
#include "base/hostlist.h"
#include "base/xalloc.h"

#define HISTORY_SIZE 1000
#define WORDS_MAX    128

struct shell {
    struct context *ctx;
    EditLine *el;
    History *history;
    char *history_file;
};

static char *prompt(EditLine *el)
{
    static char text[] = "amtcli> ";

    (void)el;
    return text;
}

/* --- completion --- */

struct candidates {
    const char *prefix;
    char *common; /* what all of them begin with */
    size_t count;
    struct buf list;
};

static void offer(struct candidates *c, const char *word)
{
    size_t n = strlen(c->prefix), same = 0;

    if (strncmp(word, c->prefix, n) != 0)
        return;
    buf_printf(&c->list, "%s  ", word);
    if (c->count++ == 0) {
        c->common = xstrdup(word);
        return;
    }
    while (c->common[same] && c->common[same] == word[same])
        same++;
    c->common[same] = '\0';
}

/* The next word of commands that begin with what stands before. */
static void offer_commands(struct candidates *c, const char *before)
{
    size_t n = strlen(before);
    const char *last = NULL;

    for (size_t i = 0; commands[i]; i++) {
        const char *name = commands[i]->name;
        char *word;

        if (strncmp(name, before, n) != 0)
            continue;
        word = xstrndup(name + n, strcspn(name + n, " "));
        if (!last || strcmp(word, last) != 0)
            offer(c, word);
        free((char *)last);
        last = word;
    }
    free((char *)last);
}

static void offer_options(struct candidates *c, const char *line)
{
    for (size_t i = 0; commands[i]; i++) {
        size_t n = strlen(commands[i]->name);

        if (strncmp(line, commands[i]->name, n) != 0 || line[n] != ' ' || !commands[i]->options)
            continue;
        for (size_t k = 0; commands[i]->options[k]; k++)
            for (const struct option_row *row = commands[i]->options[k]; row->name; row++) {
                char *word = xasprintf("--%s", row->name);

                offer(c, word);
                free(word);
            }
    }
}

static void offer_names(struct candidates *c, struct context *ctx)
{
    struct err err = ERR_INIT;
    struct hostlist *hosts;
    json_t *reply = NULL, *item;
    size_t i;

    if (!ctx->client || client_call(ctx->client, "target.words", NULL, NULL, NULL, NULL, &reply, &err) != 0)
        return;
    json_array_foreach(json_object_get(reply, "collections"), i, item)
    {
        char *word = xasprintf("@%s", json_string_value(item));

        offer(c, word);
        free(word);
    }
    json_array_foreach(json_object_get(reply, "profiles"), i, item) offer(c, json_string_value(item));
    hosts = hostlist_parse(json_string_value(json_object_get(reply, "hosts")), NULL);
    for (i = 0; hosts && i < hostlist_count(hosts); i++)
        offer(c, hostlist_name(hosts, i));
    hostlist_free(hosts);
    json_decref(reply);
}

static unsigned char complete(EditLine *el, int key)
{
    const LineInfo *info = el_line(el);
    struct shell *shell;
    struct candidates c = {.list = buf_init(1 << 20)};
    char *line = xstrndup(info->buffer, (size_t)(info->cursor - info->buffer));
    char *word = strrchr(line, ' ');
    char *before;
    unsigned char result = CC_ERROR;

    (void)key;
    el_get(el, EL_CLIENTDATA, &shell);
    c.prefix = word ? word + 1 : line;
    before = xstrndup(line, (size_t)(c.prefix - line));
    offer_commands(&c, before);
    if (c.prefix[0] == '-')
        offer_options(&c, line);
    else if (c.count == 0)
        offer_names(&c, shell->ctx);
    if (c.count > 0 && strlen(c.common) > strlen(c.prefix)) {
        el_insertstr(el, c.common + strlen(c.prefix));
        result = CC_REFRESH;
    }
    if (c.count == 1) {
        el_insertstr(el, " ");
        result = CC_REFRESH;
    } else if (c.count > 1 && result == CC_ERROR) {
        printf("\n%.4000s\n", buf_str(&c.list));
        result = CC_REDISPLAY;
    }
    free(c.common);
    free(before);
    free(line);
    buf_free(&c.list);
    return result;
}

/* --- lines --- */

/* Words as in a shell of UNIX: blanks part them, quotes and backslashes keep them together. In place. */
static int split(char *line, char **words)
{
    char *in = line, *out = line;
    int count = 0;

    for (;;) {
        char quote = 0;

        in += strspn(in, " \t\r\n");
        if (!*in || count == WORDS_MAX)
            return *in ? -1 : count;
        words[count++] = out;
        for (; *in && (quote || !strchr(" \t\r\n", *in)); in++) {
            if (*in == quote)
                quote = 0;
            else if (!quote && (*in == '\'' || *in == '"'))
                quote = *in;
            else if (*in == '\\' && quote != '\'' && in[1])
                *out++ = *++in;
            else
                *out++ = *in;
        }
        if (quote)
            return -1;
        in += *in != '\0';
        *out++ = '\0';
    }
}

static bool is_leaving(const char *word)
{
    return strcmp(word, "exit") == 0 || strcmp(word, "quit") == 0;
}

static int run_line(struct shell *shell, const char *text, bool *leave)
{
    struct context inner = {.client = shell->ctx->client};
    char *line = xstrdup(text);
    char *words[WORDS_MAX + 1];
    int count = split(line, words), code = EXIT_ALL;

    if (count < 0) {
        fputs("amtcli: a quote is not closed, or there are too many words\n", stderr);
        code = EXIT_USAGE;
    } else if (count > 0 && is_leaving(words[0])) {
        *leave = true;
    } else if (count > 0 && strcmp(words[0], "shell") != 0) {
        code = run_command(&inner, count, words);
        shell->ctx->client = inner.client;
    }
    free(line);
    return code;
}

static char *history_path(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *dir = state && state[0] == '/' ? xasprintf("%s/amtd", state)
                : home                   ? xasprintf("%s/.local/state/amtd", home)
                                         : NULL;
    char *path = dir ? xasprintf("%s/history", dir) : NULL;

    if (dir)
        mkdir(dir, 0700);
    free(dir);
    return path;
}

static int shell_interactive(struct shell *shell)
{
    HistEvent event;
    bool leave = false;
    int code = EXIT_ALL, n;
    const char *line;

    shell->el = el_init("amtcli", stdin, stdout, stderr);
    shell->history = history_init();
    shell->history_file = history_path();
    history(shell->history, &event, H_SETSIZE, HISTORY_SIZE);
    history(shell->history, &event, H_SETUNIQUE, 1);
    if (shell->history_file)
        history(shell->history, &event, H_LOAD, shell->history_file);
    el_set(shell->el, EL_PROMPT, prompt);
    el_set(shell->el, EL_EDITOR, "emacs");
    el_set(shell->el, EL_SIGNAL, 1);
    el_set(shell->el, EL_HIST, history, shell->history);
    el_set(shell->el, EL_CLIENTDATA, shell);
    el_set(shell->el, EL_ADDFN, "amtcli-complete", "complete commands, options and names", complete);
    el_set(shell->el, EL_BIND, "^I", "amtcli-complete", NULL);
    while (!leave && (line = el_gets(shell->el, &n)) && n > 0) {
        if (line[strspn(line, " \t\n")])
            history(shell->history, &event, H_ENTER, line);
        code = run_line(shell, line, &leave);
        fflush(stdout);
    }
    if (shell->history_file)
        history(shell->history, &event, H_SAVE, shell->history_file);
    history_end(shell->history);
    el_end(shell->el);
    free(shell->history_file);
    if (!leave)
        putchar('\n');
    return code;
}

/* From a pipe: a script of commands. */
static int shell_script(struct shell *shell)
{
    char *line = NULL;
    size_t size = 0;
    bool leave = false;
    int code = EXIT_ALL, worst = EXIT_ALL;

    while (!leave && getline(&line, &size, stdin) > 0) {
        code = line[strspn(line, " \t")] == '#' ? EXIT_ALL : run_line(shell, line, &leave);
        worst = code > worst ? code : worst;
        fflush(stdout);
    }
    free(line);
    return worst;
}

static int shell(struct context *ctx)
{
    struct shell s = {.ctx = ctx};

    if (!context_client(ctx))
        return EXIT_NO_DAEMON;
    return isatty(STDIN_FILENO) ? shell_interactive(&s) : shell_script(&s);
}

const struct command command_shell = {
    "shell",
    "",
    0,
    0,
    "commands line by line, with history and completion (Tab); from a pipe: a script",
    NULL,
    "shell\nshell < commands.txt",
    shell};
