/* shell: commands line by line, with history and completion. */
#include <errno.h>
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amtcli/cmd_shell.h"
#include "amtcli/complete.h"
#include "amtcli/interrupt.h"
#include "amtcli/words.h"
#include "amtcli/wrap.h"
#include "base/xalloc.h"

#define HISTORY_SIZE 1000
#define LIST_MOST    200 /* candidates that are shown */

struct shell {
    struct context *ctx;
    EditLine *el;
    History *history;
    char *history_file; /* NULL: there is no home for it */
};

static char *prompt(EditLine *el)
{
    static char text[] = "amtcli> ";

    (void)el;
    return text;
}

/* --- completion --- */

static json_t *names_of(struct context *ctx)
{
    struct err err = ERR_INIT;
    json_t *names = NULL;

    if (ctx->client && client_alive(ctx->client))
        client_call(ctx->client, "target.words", NULL, NULL, NULL, NULL, &names, &err);
    return names;
}

/* What is missing of a word, with what the shell would read otherwise behind a backslash. */
static void insert(EditLine *el, const char *text, size_t n, char quote)
{
    char *escaped = xcalloc(2 * n + 2, 1), *out = escaped;

    for (size_t i = 0; i < n; i++) {
        if (!quote && strchr(" \t\\'\"", text[i]))
            *out++ = '\\';
        *out++ = text[i];
    }
    el_insertstr(el, escaped);
    free(escaped);
}

static void list(const struct completion *c)
{
    size_t width = wrap_columns(stdout, WRAP_PAGE), longest = 0, per_line,
           shown = c->count < LIST_MOST ? c->count : LIST_MOST;

    for (size_t i = 0; i < shown; i++)
        longest = strlen(c->words[i]) > longest ? strlen(c->words[i]) : longest;
    per_line = width / (longest + 2) > 0 ? width / (longest + 2) : 1;
    for (size_t i = 0; i < shown; i++)
        printf("%s%-*s", i % per_line == 0 ? "\n" : "", (int)longest + 2, c->words[i]);
    if (shown < c->count)
        printf("\nand %zu more", c->count - shown);
    putchar('\n');
}

/* A word that nothing can follow within is ended. */
static bool is_whole(const struct completion *c)
{
    const char *word = c->words[0];
    char last = word[strlen(word) - 1];

    return c->count == 1 && last != '/' && last != ':' && last != '=';
}

static unsigned char complete(EditLine *el, int key)
{
    const LineInfo *info = el_line(el);
    char *line = xstrndup(info->buffer, (size_t)(info->cursor - info->buffer));
    unsigned char result = CC_ERROR;
    struct completion c;
    struct shell *shell;
    json_t *names;
    size_t common;

    (void)key;
    el_get(el, EL_CLIENTDATA, &shell);
    names = names_of(shell->ctx);
    complete_line(&c, line, names);
    common = complete_common(&c);
    if (common > strlen(c.typed)) {
        insert(el, c.words[0] + strlen(c.typed), common - strlen(c.typed), c.quote);
        result = CC_REFRESH;
    }
    if (c.count > 0 && is_whole(&c)) {
        char end[] = {c.quote ? c.quote : ' ', c.quote ? ' ' : '\0', '\0'};

        el_insertstr(el, end);
        result = CC_REFRESH;
    } else if (c.count > 1 && result == CC_ERROR) {
        list(&c);
        result = CC_REDISPLAY;
    }
    complete_clear(&c);
    json_decref(names);
    free(line);
    return result;
}

/* --- lines --- */

static bool is_leaving(const char *word)
{
    return strcmp(word, "exit") == 0 || strcmp(word, "quit") == 0;
}

static int run_words(struct shell *shell, struct words *words, bool *leave)
{
    struct context inner = {.client = shell->ctx->client};
    int code = EXIT_ALL;

    if (words->quote) {
        fprintf(stderr, "amtcli: a quote (%c) is not closed\n", words->quote);
        return EXIT_USAGE;
    }
    *leave = words->count > 0 && is_leaving(words->items[0]);
    if (words->count == 0 || *leave || strcmp(words->items[0], "shell") == 0)
        return EXIT_ALL;
    code = run_command(&inner, (int)words->count, words->items);
    shell->ctx->client = inner.client;
    fflush(stdout);
    return code;
}

static int run_line(struct shell *shell, const char *line, bool *leave)
{
    struct words words;
    int code;

    words_split(&words, line, false);
    code = run_words(shell, &words, leave);
    words_clear(&words);
    return code;
}

/* --- history: what was typed; secrets never are --- */

static void make_directories(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

static char *history_path(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = state && state[0] == '/' ? xasprintf("%s/amtd/history", state)
                 : home && home[0] == '/' ? xasprintf("%s/.local/state/amtd/history", home)
                                          : NULL;

    if (path)
        make_directories(path);
    return path;
}

static void history_save(struct shell *shell)
{
    mode_t kept = umask(077);
    HistEvent event;

    if (shell->history_file)
        history(shell->history, &event, H_SAVE, shell->history_file);
    umask(kept);
}

static void history_start(struct shell *shell)
{
    HistEvent event;

    shell->history = history_init();
    shell->history_file = history_path();
    history(shell->history, &event, H_SETSIZE, HISTORY_SIZE);
    history(shell->history, &event, H_SETUNIQUE, 1);
    if (shell->history_file)
        history(shell->history, &event, H_LOAD, shell->history_file);
}

/* --- on a terminal --- */

static void edit_start(struct shell *shell)
{
    shell->el = el_init("amtcli", stdin, stdout, stderr);
    el_set(shell->el, EL_PROMPT, prompt);
    el_set(shell->el, EL_EDITOR, "emacs");
    el_set(shell->el, EL_SIGNAL, 1);
    el_set(shell->el, EL_HIST, history, shell->history);
    el_set(shell->el, EL_CLIENTDATA, shell);
    el_set(shell->el, EL_ADDFN, "amtcli-complete", "complete commands, options and names", complete);
    el_set(shell->el, EL_BIND, "^I", "amtcli-complete", NULL);
    el_set(shell->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
}

/* The next line; NULL at the end. Ctrl-C drops what is typed, and no more. */
static const char *read_line(struct shell *shell)
{
    const char *line;
    int n;

    for (;;) {
        interrupt_reset();
        line = el_gets(shell->el, &n);
        if (line && n > 0)
            return line;
        if (interrupt_count() == 0)
            return NULL;
        putchar('\n');
        el_reset(shell->el);
    }
}

static int shell_interactive(struct shell *shell)
{
    struct interrupt interrupt;
    HistEvent event;
    bool leave = false;
    int code = EXIT_ALL;
    const char *line;

    history_start(shell);
    interrupt_begin(&interrupt);
    edit_start(shell);
    while (!leave && (line = read_line(shell))) {
        if (line[strspn(line, " \t\r\n")]) {
            history(shell->history, &event, H_ENTER, line);
            history_save(shell);
        }
        code = run_line(shell, line, &leave);
    }
    if (!leave)
        putchar('\n');
    el_end(shell->el);
    interrupt_end(&interrupt);
    history_end(shell->history);
    free(shell->history_file);
    return code;
}

/* From a pipe: a script of commands. The exit code is the highest of them. */
static int shell_script(struct shell *shell)
{
    char *line = NULL;
    size_t size = 0;
    bool leave = false;
    int code = EXIT_ALL, worst = EXIT_ALL;

    while (!leave && getline(&line, &size, stdin) > 0) {
        code = line[strspn(line, " \t")] == '#' ? EXIT_ALL : run_line(shell, line, &leave);
        worst = code > worst ? code : worst;
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
