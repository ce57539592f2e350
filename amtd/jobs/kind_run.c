/* run: a command of this machine, with what is known of the host in its environment, under the account of
 * whoever began the run. */
#include <ctype.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/jobs/job_run.h"
#include "amtd/jobs/kinds.h"
#include "base/process.h"
#include "base/text.h"
#include "base/xalloc.h"

#define TIMEOUT_MS    60000
#define KILL_MS       5000  /* between the request to end and the end */
#define LAST_WORDS_MS 200   /* for output that was on its way when it ended */
#define OUTPUT_MAX    65536 /* bytes that are kept */
#define WORDS_MAX     256
#define SAFE_PATH     "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const struct job_param params[] = {
    {"command", JOB_PARAM_WORDS, .main = true, .max = WORDS_MAX,
     .text = "the program and its arguments, no shell between"},
    {"shell", JOB_PARAM_TEXT, .max = 65536, .text = "a line for /bin/sh instead"},
    {"env", JOB_PARAM_PAIRS, .max = 100, .text = "more of its environment"},
    {"directory", JOB_PARAM_TEXT, .max = 4096, .standard = "/", .text = "where it runs"},
    {"safe", JOB_PARAM_BOOL, .standard = "false",
     .text = "it may be done twice: amtd may have died meanwhile"},
    {NULL},
};

static int run_shape(json_t **args, struct err *err)
{
    const char *directory = json_string_value(json_object_get(*args, "directory"));

    if (directory && directory[0] != '/')
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'directory': expected an absolute path");
    return !json_object_get(*args, "command") != !json_object_get(*args, "shell")
               ? 0
               : err_set(err, CAUSE_INVALID_ARGUMENT, "either 'command' or 'shell'");
}

static enum job_again run_again(const json_t *args)
{
    return json_is_true(json_object_get(args, "safe")) ? JOB_AGAIN_SAFE : JOB_AGAIN_NEVER;
}

struct command {
    uv_process_t process;
    uv_pipe_t pipe;
    uv_timer_t timer;
    int handles;           /* of libuv, still open */
    bool spawned;          /* there is a process */
    struct job_call *call; /* NULL: nobody waits for it any more */
    struct buf output;
    bool cut, ended, closed, late;
    int64_t status;
    int signal;
    char input[4096];
};

/* --- the environment --- */

struct words {
    char **items; /* ended by NULL */
    size_t count;
};

static void add_word(struct words *words, char *word)
{
    words->items = xreallocarray(words->items, words->count + 2, sizeof(char *));
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}

static void words_free(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
}

/* "amt.version" -> "AMTD_FACT_AMT_VERSION" */
static void add_variable(struct words *env, const char *prefix, const char *name, const char *value)
{
    char *word = xasprintf("%s%s=%s", prefix, name, value);

    for (char *p = word; *p && *p != '='; p++)
        *p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
    add_word(env, word);
}

static void add_host(struct words *env, const struct job_call *call)
{
    const struct host *host = call->host;
    char run[24];

    snprintf(run, sizeof(run), "%lld", (long long)call->run);
    add_variable(env, "AMTD_", "RUN", run);
    add_variable(env, "AMTD_", "JOB", call->job);
    add_variable(env, "AMTD_", "TASK", call->task);
    add_variable(env, "AMTD_", "WHO", call->who);
    add_variable(env, "AMTD_", "HOST", host->name);
    add_variable(env, "AMTD_", "ADDRESS", host->address ? host->address : host->name);
    for (size_t i = 0; i < host->tags.count; i++)
        add_variable(env, "AMTD_TAG_", host->tags.items[i].name, host->tags.items[i].value);
    for (size_t i = 0; i < host->facts.count; i++)
        add_variable(env, "AMTD_FACT_", host->facts.items[i].name, host->facts.items[i].value);
}

/* What is plain of the event that began the run: AMTD_EVENT_KIND, AMTD_EVENT_DATA_PATTERN, ... */
static void add_event(struct words *env, const char *prefix, const json_t *event)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)event, name, value)
    {
        char *number =
            json_is_integer(value) ? xasprintf("%lld", (long long)json_integer_value(value)) : NULL;

        if (number || json_is_string(value))
            add_variable(env, prefix, name, number ? number : json_string_value(value));
        free(number);
    }
}

static struct words environment(const struct job_call *call, const struct passwd *pw)
{
    struct words env = {0};
    const char *name;
    json_t *value;

    add_word(&env, xstrdup("PATH=" SAFE_PATH));
    add_word(&env, xstrdup("LC_ALL=C.UTF-8"));
    if (pw) {
        add_variable(&env, "", "HOME", pw->pw_dir);
        add_variable(&env, "", "USER", pw->pw_name);
    }
    add_host(&env, call);
    add_event(&env, "AMTD_EVENT_", call->event);
    add_event(&env, "AMTD_EVENT_DATA_", json_object_get(call->event, "data"));
    json_object_foreach(json_object_get(call->args, "env"), name, value)
        add_word(&env, xasprintf("%s=%s", name, json_string_value(value)));
    return env;
}

/* directory: gone to by the command's own account, so that it is no way into what that may not enter. NULL:
 * it is there already. */
static struct words command_line(const json_t *args, const char *directory)
{
    const char *shell = json_string_value(json_object_get(args, "shell"));
    struct words words = {0};
    json_t *word;
    size_t i;

    if (directory) {
        add_word(&words, xstrdup("/bin/sh"));
        add_word(&words, xstrdup("-c"));
        add_word(&words, xstrdup("cd -- \"$0\" && exec \"$@\""));
        add_word(&words, xstrdup(directory));
    }
    if (shell) {
        add_word(&words, xstrdup("/bin/sh"));
        add_word(&words, xstrdup("-c"));
        add_word(&words, xstrdup(shell));
    }
    json_array_foreach(json_object_get(args, "command"), i, word)
        add_word(&words, xstrdup(json_string_value(word)));
    return words;
}

/* --- its end --- */

static void handle_closed(uv_handle_t *handle)
{
    struct command *c = handle->data;

    if (--c->handles > 0)
        return;
    buf_free(&c->output);
    free(c);
}

static void close_all(struct command *c)
{
    if (c->spawned)
        uv_close((uv_handle_t *)&c->process, handle_closed);
    uv_close((uv_handle_t *)&c->pipe, handle_closed);
    uv_close((uv_handle_t *)&c->timer, handle_closed);
}

static void report(struct command *c, const struct err *failure)
{
    struct job_call *call = c->call;
    struct buf text = buf_init(8 * OUTPUT_MAX);
    struct finding finding = {0};

    c->call = NULL;
    if (text_is_utf8(buf_str(&c->output), c->output.len))
        buf_add(&text, buf_str(&c->output), c->output.len);
    else
        text_printable(&text, buf_str(&c->output), c->output.len);
    finding.detail = json_pack("{s:{s:s, s:b, s:I, s:i}}", "run", "output", buf_str(&text), "cut", c->cut,
                               "exit", (json_int_t)c->status, "signal", c->signal);
    buf_free(&text);
    call->done(call, &finding, failure);
}

/* What it leaves running in the background may hold the pipe: its own end is what counts. */
static void command_over(struct command *c)
{
    struct err err = ERR_INIT;

    if (!c->ended || !c->call)
        return;
    if (c->late)
        err_set(&err, CAUSE_COMMAND_FAILED, "the command did not end within %lld s",
                (long long)(c->call->timeout_ms / 1000));
    else if (c->signal != 0)
        err_set(&err, CAUSE_COMMAND_FAILED, "the command was ended by signal %d", c->signal);
    else if (c->status != 0)
        err_set(&err, CAUSE_COMMAND_FAILED, "the command ended with %lld", (long long)c->status);
    if (err.cause == CAUSE_COMMAND_FAILED && !c->late)
        err_code(&err, "%s %lld", c->signal ? "signal" : "exit",
                 c->signal ? (long long)c->signal : (long long)c->status);
    report(c, err.cause != CAUSE_NONE ? &err : NULL);
    close_all(c);
}

static void on_timer(uv_timer_t *timer);

static void on_ended(uv_process_t *process, int64_t status, int signal)
{
    struct command *c = process->data;

    c->ended = true;
    c->status = status;
    c->signal = signal;
    if (!c->call)
        close_all(c);
    else if (c->closed)
        command_over(c);
    else /* its last words are on their way */
        uv_timer_start(&c->timer, on_timer, LAST_WORDS_MS, 0);
}

static void on_kill(uv_timer_t *timer)
{
    const struct command *c = timer->data;

    if (!c->ended)
        kill(-c->process.pid, SIGKILL); /* it leads a group of its own */
}

static void end_command(struct command *c)
{
    kill(-c->process.pid, SIGTERM);
    uv_timer_start(&c->timer, on_kill, KILL_MS, KILL_MS);
}

static void on_timer(uv_timer_t *timer)
{
    struct command *c = timer->data;

    if (c->ended) {
        command_over(c);
        return;
    }
    c->late = true;
    end_command(c);
}

/* --- its output --- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct command *c = handle->data;

    (void)suggested;
    *buf = uv_buf_init(c->input, sizeof(c->input));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct command *c = stream->data;
    size_t room = OUTPUT_MAX - c->output.len;

    if (n < 0) {
        c->closed = true;
        uv_read_stop(stream);
        command_over(c);
        return;
    }
    c->cut |= (size_t)n > room;
    buf_add(&c->output, buf->base, (size_t)n < room ? (size_t)n : room);
}

/* --- its beginning --- */

static void failed_to_start(uv_timer_t *timer)
{
    struct command *c = timer->data;
    struct err err = ERR_INIT;

    if (c->call->uid < 0)
        err_set(&err, CAUSE_DENIED, "whoever began the run has no account on this machine");
    else if (c->status == UV_EPERM)
        err_set(&err, CAUSE_DENIED, "this amtd cannot run commands under the account with uid %lld",
                (long long)c->call->uid);
    else
        err_set(&err, CAUSE_COMMAND_FAILED, "the command cannot be started: %s", uv_strerror((int)c->status));
    report(c, &err);
    close_all(c);
}

/* Both ends of its output: stdout and stderr as they come. */
static int open_output(struct command *c, int *theirs)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return UV_EMFILE;
    if (uv_pipe_open(&c->pipe, ends[0]) != 0) {
        close(ends[0]);
        close(ends[1]);
        return UV_EMFILE;
    }
    *theirs = ends[1];
    return 0;
}

static int spawn(struct command *c)
{
    const struct job_call *call = c->call;
    const struct passwd *pw = call->uid >= 0 ? getpwuid((uid_t)call->uid) : NULL;
    const char *directory = json_string_value(json_object_get(call->args, "directory"));
    bool other = call->uid >= 0 && (uid_t)call->uid != geteuid();
    struct words argv = command_line(call->args, other ? directory : NULL), env = environment(call, pw);
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE}, {.flags = UV_INHERIT_FD}, {.flags = UV_INHERIT_FD}};
    uv_process_options_t options = {.exit_cb = on_ended,
                                    .file = argv.items[0],
                                    .args = argv.items,
                                    .env = env.items,
                                    .cwd = directory && !other ? directory : "/",
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio_count = 3,
                                    .stdio = stdio};
    int status = UV_EPERM, output = -1;

    if (other) {
        options.flags |= UV_PROCESS_SETUID | UV_PROCESS_SETGID;
        options.uid = (uv_uid_t)call->uid;
        options.gid = pw ? pw->pw_gid : (uv_gid_t)-1;
    }
    if (call->uid >= 0 && (!other || (geteuid() == 0 && pw)))
        status = open_output(c, &output);
    stdio[1].data.fd = stdio[2].data.fd = output;
    if (status == 0) {
        c->spawned = true; /* also when it fails, the handle is there */
        c->handles++;
        process_keep_descriptors();
        status = uv_spawn(call->parts->run->loop, &c->process, &options);
    }
    if (output >= 0)
        close(output);
    words_free(&argv);
    words_free(&env);
    return status;
}

static void *command_start(struct job_call *call)
{
    struct command *c = xcalloc(1, sizeof(*c));
    uv_loop_t *loop = call->parts->run->loop;

    c->call = call;
    c->output = buf_init(OUTPUT_MAX);
    c->handles = 2;
    uv_pipe_init(loop, &c->pipe, 0);
    uv_timer_init(loop, &c->timer);
    c->process.data = c->pipe.data = c->timer.data = c;
    c->status = spawn(c);
    if (c->status != 0) {
        uv_timer_start(&c->timer, failed_to_start, 0, 0);
        return c;
    }
    uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
    uv_timer_start(&c->timer, on_timer, (uint64_t)call->timeout_ms, 0);
    return c;
}

static void command_cancel(void *work)
{
    struct command *c = work;

    c->call = NULL;
    if (c->status == 0 && c->spawned && !c->ended)
        end_command(c);
    else
        close_all(c);
}

static const struct job_action action = {command_start, command_cancel};

const struct job_kind job_kind_run = {
    .name = "run",
    .text = "run a command on the machine that amtd runs on",
    .params = params,
    .action = &action,
    .role = JOB_OPERATES,
    .timeout_ms = TIMEOUT_MS,
    .shape = run_shape,
    .again = run_again,
};
