/* The table of all calls. Names and shapes: docs/api.md. */
#include "amtd/api/calls.h"

#include "amtd/api/listing.h"
#include "amtd/api/log_range.h"
#include "base/buf.h"
#include "base/clock.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MOST    100000

#define TARGET                                                                                               \
    {                                                                                                        \
        "target", API_STRING, true, "which hosts"                                                            \
    }
#define NAME                                                                                                 \
    {                                                                                                        \
        "name", API_STRING, true, "its name"                                                                 \
    }
#define END                                                                                                  \
    {                                                                                                        \
        NULL, API_STRING, false, NULL                                                                        \
    }

static const struct api_param none[] = {END};
static const struct api_param name_only[] = {NAME, END};
static const struct api_param target_only[] = {TARGET, END};

static const struct api_param host_add_params[] = {
    {"hosts", API_STRING, true, "a host list such as pc[001-120]"},
    {"address", API_STRING, false, "of the first; counts up"},
    {"profile", API_STRING, false, "the profile to use alone"},
    {"tags", API_OBJECT, false, "name: value"},
    END,
};
static const struct api_param host_import_params[] = {
    {"rows", API_ARRAY, true, "objects with name, address, profile, tags", API_CONTENT},
    {"update", API_BOOLEAN, false, "change hosts that are there"},
    END,
};
static const struct api_param filter_confirm_params[] = {
    TARGET, {"when", API_STRING, false, "now (what is active), agent or worm (what waits for it)"}, END};
#define FIELDS                                                                                               \
    {                                                                                                        \
        "fields", API_ARRAY, false, "members that are of use, such as facts.power; others may be left out"   \
    }
static const struct api_param host_list_params[] = {
    {"target", API_STRING, false, "which hosts"}, FIELDS, END};
static const struct api_param filter_status_params[] = {{"target", API_STRING, false, "which hosts"}, END};
static const struct api_param host_set_params[] = {
    TARGET,
    {"address", API_STRING, false, "of the first; counts up; empty: remove"},
    {"profile", API_STRING, false, "empty: remove"},
    {"tags", API_OBJECT, false, "name: value, null removes"},
    {"forget", API_ARRAY, false, "pin, realm or facts"},
    {"pin", API_STRING, false, "SHA-256 of the certificate to trust"},
    END,
};
static const struct api_param host_remove_params[] = {
    TARGET, {"confirmed", API_BOOLEAN, false, "needed for more than ten hosts", API_CONTENT}, END};
static const struct api_param collection_put_params[] = {
    NAME,
    {"list", API_STRING, false, "a host list"},
    {"where", API_STRING, false, "a query"},
    {"replace", API_BOOLEAN, false, "when it is there"},
    END,
};
static const struct api_param collection_set_params[] = {
    NAME, {"set", API_OBJECT, true, "what names in filter files stand for on its hosts, null removes"}, END};
static const struct api_param profile_put_params[] = {
    NAME,
    {"replace", API_BOOLEAN, false, "change the one that is there"},
    {"position", API_INTEGER, false, "in the order of trying"},
    {"auth", API_STRING, false, "digest or kerberos"},
    {"user", API_STRING, false, "for digest"},
    {"password", API_STRING, false, "for digest", API_SECRET},
    {"ccache", API_STRING, false, "Kerberos credential cache"},
    {"tls", API_STRING, false, "none, ca, own or pin"},
    {"ca_file", API_STRING, false, "PEM"},
    {"client_cert_file", API_STRING, false, "PEM"},
    {"client_key_file", API_STRING, false, "PEM"},
    {"old_tls", API_BOOLEAN, false, "allow old TLS; needs tls pin"},
    {"clear_text", API_BOOLEAN, false, "allow redirection logins in clear text"},
    {"port", API_INTEGER, false, "0: 16992 or 16993"},
    {"connect_ms", API_INTEGER, false, "time for a connection"},
    {"request_ms", API_INTEGER, false, "time for an answer"},
    END,
};
static const struct api_param grant_params[] = {
    {"user", API_STRING, false, "a UNIX account"},
    {"group", API_STRING, false, "or a group"},
    {"role", API_STRING, true, "watch, operate, quarantine or administer"},
    {"collection", API_STRING, false, "on its hosts; else on every host"},
    END,
};
static const struct api_param run_start_params[] = {
    {"task", API_STRING, true,
     "power, boot, info, doctor, probe, prepare, redirection, consent, clock, filter, password, certificate"},
    TARGET,
    {"args", API_OBJECT, false, "of the task"},
    {"profile", API_STRING, false, "use this one alone"},
    {"parallel", API_INTEGER, false, "hosts at a time"},
    {"per_subnet", API_INTEGER, false, "of these in one subnet"},
    {"canary", API_INTEGER, false, "hosts of a first stage that must all be well"},
    {"batch", API_INTEGER, false, "hosts in a stage"},
    {"pause_ms", API_INTEGER, false, "between stages"},
    {"max_failures", API_INTEGER, false, "stop after so many"},
    {"timeout_ms", API_INTEGER, false, "per host"},
    {"dry_run", API_BOOLEAN, false, "only say what would be done"},
    {"confirmed", API_BOOLEAN, false, "needed for more than ten hosts", API_CONTENT},
    END,
};
static const struct api_param password_list_params[] = {
    {"target", API_STRING, false, "which hosts"},
    {"former", API_BOOLEAN, false, "also those that were before"},
    END,
};
static const struct api_param certificate_client_params[] = {
    {"name", API_STRING, true, "whom it is for"},
    {"days", API_INTEGER, false, "how long it is valid"},
    END,
};
static const struct api_param calendar_params[] = {
    {"target", API_STRING, false, "which hosts"},
    {"within_ms", API_INTEGER, false, "what is due within so long"},
    {"password_age_ms", API_INTEGER, false, "when a password is to be changed"},
    END,
};
static const struct api_param password_saved_params[] = {
    {"target", API_STRING, true, "which hosts"},
    {"at_ms", API_INTEGER, true, "when they were exported"},
    END,
};
static const struct api_param password_show_params[] = {
    {"host", API_STRING, true, "which host"},
    {"former", API_BOOLEAN, false, "also those that were before"},
    END,
};
#define JOB_TEXT                                                                                             \
    {"name", API_STRING, true, "what it is called when the file does not say"},                              \
        {"text", API_STRING, true, "the job file", API_CONTENT},                                             \
    {                                                                                                        \
        "files", API_OBJECT, false, "of each file that it names: {name, text, ...}", API_CONTENT             \
    }

static const struct api_param job_check_params[] = {
    JOB_TEXT, {"target", API_STRING, false, "whether the caller may do it there, too"}, END};
#define ROLLOUT                                                                                              \
    {"parallel", API_INTEGER, false, "hosts under way at a time"},                                           \
        {"per_subnet", API_INTEGER, false, "of these in one subnet"},                                        \
        {"canary", API_INTEGER, false, "hosts of a first stage that must all be well"},                      \
        {"batch", API_INTEGER, false, "hosts in a stage"},                                                   \
        {"pause_ms", API_INTEGER, false, "between stages"},                                                  \
    {                                                                                                        \
        "max_failures", API_INTEGER, false, "stop after so many"                                             \
    }
#define BRIEF                                                                                                \
    {                                                                                                        \
        "brief", API_BOOLEAN, false, "tell of tasks only how many are done", API_CONTENT                     \
    }
static const struct api_param job_run_params[] = {
    JOB_TEXT,
    TARGET,
    ROLLOUT,
    BRIEF,
    {"profile", API_STRING, false, "use this one alone"},
    {"dry_run", API_BOOLEAN, false, "only say what would be done"},
    {"confirmed", API_BOOLEAN, false, "needed for more than ten hosts", API_CONTENT},
    END,
};
static const struct api_param job_retry_params[] = {
    {"run", API_INTEGER, true, "its number"},
    ROLLOUT,
    BRIEF,
    {"confirmed", API_BOOLEAN, false, "needed for more than ten hosts", API_CONTENT},
    END,
};
static const struct api_param job_watch_params[] = {{"run", API_INTEGER, true, "its number"}, BRIEF, END};
static const struct api_param schedule_add_params[] = {
    NAME,
    {"job", API_OBJECT, false, "name, text and files, as of job.run"},
    {"target", API_STRING, false, "with job: which hosts"},
    {"discover", API_OBJECT, false, "instead: a sweep, as of discover.start"},
    {"cron", API_STRING, false, "minute hour day month weekday"},
    {"every_ms", API_INTEGER, false, "instead: an interval"},
    {"zone", API_STRING, false, "time zone of these times"},
    {"window", API_STRING, false, "22:00-06:00: times outside do not count"},
    {"catch_up", API_BOOLEAN, false, "do once what amtd slept through"},
    ROLLOUT,
    {"profile", API_STRING, false, "use this one alone"},
    {"replace", API_BOOLEAN, false, "it is there, and becomes this"},
    END,
};
static const struct api_param schedule_show_params[] = {
    NAME, {"times", API_INTEGER, false, "how many of the next ones"}, END};
static const struct api_param job_list_params[] = {
    {"name", API_STRING, false, "of the job"},
    {"limit", API_INTEGER, false, "newest so many"},
    END,
};
static const struct api_param ider_start_params[] = {
    {"host", API_STRING, true, "which host"},
    {"cd", API_INTEGER, false, "the channel of an image"},
    {"floppy", API_INTEGER, false, "the channel of an image"},
    {"when", API_STRING, false, "now, reset or graceful: when the machine gets the drives"},
    {"boot", API_BOOLEAN, false, "boot from it, now"},
    {"graceful", API_BOOLEAN, false, "with boot: ask the operating system to restart"},
    END,
};
static const struct api_param run_params[] = {{"run", API_INTEGER, true, "its number"}, END};
static const struct api_param run_show_params[] = {{"run", API_INTEGER, true, "its number"}, FIELDS, END};
static const struct api_param run_list_params[] = {{"limit", API_INTEGER, false, "newest so many"}, END};
static const struct api_param activity_export_params[] = {{"since_ms", API_INTEGER, false, "how long ago"},
                                                          END};
static const struct api_param activity_params[] = {
    {"since_ms", API_INTEGER, false, "how long ago"},
    {"host", API_STRING, false, "only what touched it"},
    {"who", API_STRING, false, "only those whose text has this"},
    {"what", API_STRING, false, "only what has this"},
    {"result", API_STRING, false, "only what ended so"},
    {"limit", API_INTEGER, false, "newest so many"},
    END,
};

static const struct api_param node_invite_params[] = {
    NAME,
    {"address", API_STRING, false, "where it reaches this amtd: HOST or HOST:PORT"},
    {"valid_ms", API_INTEGER, false, "how long the token is good; default one hour"},
    {"replace", API_BOOLEAN, false, "for one that is there: it gets a new key"},
    END,
};
static const struct api_param client_invite_params[] = {
    NAME,
    {"user", API_STRING, false, "who that is; default the name"},
    {"role", API_STRING, false, "watch, operate, quarantine or administer; default watch"},
    {"address", API_STRING, false, "where it reaches this amtd: HOST or HOST:PORT"},
    {"valid_ms", API_INTEGER, false, "how long the token is good; default one hour"},
    {"replace", API_BOOLEAN, false, "for one that is there: it gets a new key"},
    END,
};
static const struct api_param node_join_params[] = {
    {"token", API_STRING, true, "of the server", API_SECRET},
    {"configuration", API_BOOLEAN, false, "take the consoles' configuration from it"},
    END,
};

#define NAMES                                                                                                \
    {                                                                                                        \
        "names", API_ARRAY, false, "which consoles; * and ? as in a shell"                                   \
    }

#define EVENT_FILTER                                                                                         \
    {"since_ms", API_INTEGER, false, "how long ago"}, {"since", API_STRING, false, "RFC 3339"},              \
        {"hosts", API_ARRAY, false, "names; * and ? as in a shell"},                                         \
        {"consoles", API_ARRAY, false, "names; * and ? as in a shell"},                                      \
        {"kinds", API_ARRAY, false, "names of kinds"},                                                       \
        {"severity", API_STRING, false, "at least info, warning or critical"},                               \
    {                                                                                                        \
        "limit", API_INTEGER, false, "the newest so many"                                                    \
    }

static const struct api_param names_params[] = {NAMES, END};
static const struct api_param console_events_params[] = {
    {"channel", API_INTEGER, false, "of an attachment"}, NAMES, END};
static const struct api_param console_lease_params[] = {
    {"channel", API_INTEGER, true, "of the attachment"},
    {"action", API_STRING, true, "request, force, grant or release"},
    {"to", API_INTEGER, false, "id of the attachment that gets it"},
    END,
};
static const struct api_param console_break_params[] = {
    NAME,
    {"which", API_STRING, false, "0, the default, or the key of another"},
    {"length_ms", API_INTEGER, false, "of the line's own break"},
    END,
};
static const struct api_param console_message_params[] = {
    NAME,
    {"text", API_STRING, true, "what to say", API_CONTENT},
    {"to", API_INTEGER, false, "id of one attachment"},
    END,
};
static const struct api_param console_broadcast_params[] = {
    {"names", API_ARRAY, false, "which consoles; * and ? as in a shell; default: all"},
    {"text", API_STRING, true, "what to say", API_CONTENT},
    END,
};
static const struct api_param console_note_params[] = {
    NAME, {"text", API_STRING, true, "what to write down", API_CONTENT}, END};
static const struct api_param console_send_params[] = {
    {"names", API_ARRAY, true, "which consoles; * and ? as in a shell"},
    {"text", API_STRING, false, "what to type", API_CONTENT},
    {"data", API_STRING, false, "the same in base64", API_CONTENT},
    {"force", API_BOOLEAN, false, "also where somebody else writes"},
    END,
};
static const struct api_param console_logging_params[] = {
    NAME,
    {"on", API_BOOLEAN, true, "log or not"},
    {"channel", API_INTEGER, false, "of this connection: off only as long as its terminal is attached"},
    END};
static const struct api_param console_disconnect_params[] = {
    NAME, {"id", API_INTEGER, true, "of the attachment"}, END};
static const struct api_param log_show_params[] = {
    NAME,
    LOG_RANGE_PARAMS,
    {"follow", API_BOOLEAN, false, "go on with what comes"},
    {"format", API_STRING, false, "plain, stripped, html or asciicast"},
    {"stamps", API_BOOLEAN, false, "the time before each line"},
    END,
};
static const struct api_param log_search_params[] = {
    NAMES,
    {"regex", API_STRING, true, "an extended regular expression"},
    LOG_RANGE_PARAMS,
    {"ignore_case", API_BOOLEAN, false, "capitals or not"},
    {"invert", API_BOOLEAN, false, "the lines that do not match"},
    {"before", API_INTEGER, false, "lines of context"},
    {"after", API_INTEGER, false, "lines of context"},
    {"count", API_BOOLEAN, false, "only how many"},
    {"list", API_BOOLEAN, false, "only in which consoles"},
    {"limit", API_INTEGER, false, "end after so many"},
    END,
};
static const struct api_param mail_login_params[] = {{"user", API_STRING, false, "who amtd is there"},
                                                     {"password", API_STRING, false, "with user", API_SECRET},
                                                     END};
static const struct api_param mail_send_params[] = {
    {"to", API_ARRAY, true, "addresses"},
    {"subject", API_STRING, true, "one line"},
    {"text", API_STRING, false, "what it says", API_CONTENT},
    {"name", API_STRING, false, "of an attachment"},
    {"data", API_STRING, false, "the attachment in base64", API_CONTENT},
    END,
};
static const struct api_param event_list_params[] = {
    EVENT_FILTER,
    {"until_ms", API_INTEGER, false, "how long ago"},
    {"until", API_STRING, false, "RFC 3339"},
    END,
};
static const struct api_param event_follow_params[] = {EVENT_FILTER, END};
static const struct api_param event_show_params[] = {{"id", API_INTEGER, true, "its number"}, END};
static const struct api_param log_range_params[] = {NAME, LOG_RANGE_PARAMS, END};

#define SWEEP                                                                                                \
    {"addresses", API_ARRAY, false, "10.0.0.0/16, 10.0.0.1-99, host lists; ! in front takes away"},          \
        {"add", API_BOOLEAN, false, "what is AMT becomes part of the fleet"},                                \
        {"profile", API_STRING, false, "with add: log in with this one"},                                    \
        {"tags", API_OBJECT, false, "with add: name: value"},                                                \
        {"rate", API_INTEGER, false, "packets a second"},                                                    \
        {"per_subnet", API_INTEGER, false, "of these, in one subnet"},                                       \
        {"sockets", API_INTEGER, false, "connections at a time"},                                            \
        {"timeout_ms", API_INTEGER, false, "for a connection, and for an answer"},                           \
        {"port", API_INTEGER, false, "of management, instead of 16992; with TLS the next one"},              \
    {                                                                                                        \
        "rmcp_port", API_INTEGER, false, "of presence pings, instead of 623"                                 \
    }
const struct api_param discover_params[] = {SWEEP, END};
static const struct api_param discover_start_params[] = {
    SWEEP, {"resume", API_INTEGER, false, "go on with this sweep instead; -1: the newest"}, END};
static const struct api_param inventory_show_params[] = {
    {"host", API_STRING, true, "its name"},
    {"version", API_INTEGER, false, "as history has it"},
    {"ago_ms", API_INTEGER, false, "as it was then"},
    {"flat", API_BOOLEAN, false, "also as facts with dotted names"},
    END,
};
static const struct api_param inventory_host_params[] = {{"host", API_STRING, true, "its name"}, END};
static const struct api_param inventory_list_params[] = {
    {"target", API_STRING, false, "which hosts; not given: all"},
    {"columns", API_ARRAY, false, "names of facts; not given: everything"},
    {"flat", API_BOOLEAN, false, "with columns: host, seen and the facts as members side by side"},
    FIELDS,
    END,
};
static const struct api_param inventory_diff_params[] = {
    {"host", API_STRING, true, "its name"},
    {"other", API_STRING, false, "compared with this one"},
    {"ago_ms", API_INTEGER, false, "compared with itself then; not given: with the version before"},
    END,
};
static const struct api_param devicelog_show_params[] = {
    {"log", API_STRING, true, "event or audit"},
    {"target", API_STRING, false, "which hosts; not given: all"},
    {"since_ms", API_INTEGER, false, "how long ago"},
    {"words", API_STRING, false, "what it says"},
    {"severity", API_STRING, false, "of event logs"},
    {"limit", API_INTEGER, false, "the newest so many"},
    FIELDS,
    END,
};
static const struct api_param purge_run_params[] = {{"dry_run", API_BOOLEAN, false, "only say what would go"},
                                                    END};
static const struct api_param sweep_params[] = {{"sweep", API_INTEGER, true, "its number"}, END};
static const struct api_param sweep_or_newest_params[] = {
    {"sweep", API_INTEGER, false, "its number; not given: the newest"},
    {"each", API_BOOLEAN, false, "also a row for each address where nothing is, and no ranges"},
    FIELDS,
    END,
};
static const struct api_param discover_diff_params[] = {
    {"from", API_INTEGER, false, "the earlier sweep; not given: the one before through the same addresses"},
    {"to", API_INTEGER, false, "the later sweep; not given: the newest"},
    END,
};

static const struct api_param config_check_params[] = {
    {"name", API_STRING, true, "what it is called when the file does not say"},
    {"text", API_STRING, true, "the file", API_CONTENT},
    END,
};
static const struct api_param config_declare_params[] = {
    {"collection", API_STRING, true, "whose configuration it is"},
    {"name", API_STRING, true, "what it is called when the file does not say"},
    {"text", API_STRING, true, "the file", API_CONTENT},
    END,
};

const struct api_call api_calls[] = {
    {"daemon.status", ROLE_WATCH, none, true, NULL, call_daemon_status, "how amtd is", API_ANY},
    {"daemon.reload", ROLE_ADMINISTER, none, false, NULL, call_daemon_reload,
     "reads the configuration again"},
    {"daemon.stop", ROLE_ADMINISTER, none, false, NULL, call_daemon_stop, "ends amtd"},
    {"host.add", ROLE_ADMINISTER, host_add_params, false, call_host_add, NULL, "adds hosts"},
    {"host.import", ROLE_ADMINISTER, host_import_params, false, call_host_import, NULL,
     "adds hosts from a table"},
    {"host.list", ROLE_WATCH, host_list_params, true, NULL, NULL, "hosts with tags and facts", API_TARGET,
     &list_hosts},
    {"host.set", ROLE_ADMINISTER, host_set_params, false, call_host_set, NULL, "changes hosts", API_TARGET},
    {"host.remove", ROLE_ADMINISTER, host_remove_params, false, call_host_remove, NULL, "removes hosts",
     API_TARGET},
    {"collection.put", ROLE_ADMINISTER, collection_put_params, false, call_collection_put, NULL,
     "adds a collection"},
    {"collection.set", ROLE_ADMINISTER, collection_set_params, false, call_collection_set, NULL,
     "says what names in filter files stand for on the hosts of a collection"},
    {"collection.list", ROLE_WATCH, none, true, call_collection_list, NULL, "all collections", API_ANY},
    {"collection.show", ROLE_WATCH, name_only, true, call_collection_show, NULL, "one collection", API_ANY},
    {"collection.remove", ROLE_ADMINISTER, name_only, false, call_collection_remove, NULL,
     "removes a collection"},
    {"profile.put", ROLE_ADMINISTER, profile_put_params, false, call_profile_put, NULL, "adds a profile"},
    {"profile.list", ROLE_WATCH, none, true, call_profile_list, NULL, "all profiles"},
    {"profile.show", ROLE_WATCH, name_only, true, call_profile_show, NULL, "one profile"},
    {"profile.remove", ROLE_ADMINISTER, name_only, false, call_profile_remove, NULL, "removes a profile"},
    {"grant.add", ROLE_ADMINISTER, grant_params, false, NULL, call_grant_add, "gives somebody a role"},
    {"grant.list", ROLE_ADMINISTER, none, true, call_grant_list, NULL, "who was given which role on what"},
    {"grant.remove", ROLE_ADMINISTER, grant_params, false, NULL, call_grant_remove, "takes a role away"},
    {"api.list", ROLE_WATCH, none, true, call_api_list, NULL, "this table", API_ANY},
    {"target.resolve", ROLE_WATCH, target_only, true, call_target_resolve, NULL, "the hosts of a target",
     API_TARGET},
    {"target.words", ROLE_WATCH, none, true, NULL, call_target_words, "names, for completion", API_ANY},
    {"calendar.list", ROLE_WATCH, calendar_params, true, NULL, call_calendar_list,
     "what expires or ages next"},
    {"password.list", ROLE_WATCH, password_list_params, true, call_password_list, NULL,
     "which hosts have passwords of their own"},
    {"password.show", ROLE_ADMINISTER, password_show_params, false, call_password_show, NULL,
     "the passwords of a host", API_HOST},
    {"password.export", ROLE_ADMINISTER, target_only, false, call_password_export, NULL,
     "the passwords of many hosts", API_TARGET},
    {"password.saved", ROLE_ADMINISTER, password_saved_params, false, call_password_saved, NULL,
     "somebody has kept what was exported", API_TARGET},
    {"password.forget", ROLE_ADMINISTER, target_only, false, call_password_forget, NULL,
     "goes back to the passwords of the profiles", API_TARGET},
    {"certificate.list", ROLE_WATCH, password_list_params, true, call_certificate_list, NULL,
     "which hosts have certificates of amtd's CA"},
    {"certificate.ca", ROLE_WATCH, none, true, call_certificate_ca, NULL, "amtd's CA, and those before it",
     API_ANY},
    {"certificate.client", ROLE_ADMINISTER, certificate_client_params, false, call_certificate_client, NULL,
     "a certificate and key for a client of devices with mutual TLS"},
    {"certificate.ca_renew", ROLE_ADMINISTER, none, false, call_certificate_ca_renew, NULL,
     "makes a new CA; the one before stays trusted as long as machines have certificates of it"},
    {"filter.status", ROLE_WATCH, filter_status_params, true, call_filter_status, NULL,
     "which filters are active where, since when and by whom", API_TARGET},
    {"filter.names", ROLE_WATCH, target_only, true, call_filter_names, NULL,
     "what names in filter files stand for on hosts, by their tags and collections", API_TARGET},
    {"filter.confirm", ROLE_QUARANTINE, filter_confirm_params, false, call_filter_confirm, NULL,
     "keeps filters that would undo themselves", API_TARGET},
    {"discover.start", ROLE_OPERATE, discover_start_params, false, NULL, call_discover_start,
     "goes through addresses and finds AMT"},
    {"discover.cancel", ROLE_OPERATE, sweep_params, false, NULL, call_discover_cancel,
     "stops a sweep where it is"},
    {"discover.list", ROLE_WATCH, run_list_params, true, call_discover_list, NULL, "sweeps, newest first"},
    {"discover.show", ROLE_WATCH, sweep_or_newest_params, true, NULL, NULL, "what a sweep found", API_ALL,
     &list_sweep},
    {"discover.diff", ROLE_WATCH, discover_diff_params, true, call_discover_diff, NULL,
     "what is new, gone or changed between two sweeps"},
    {"inventory.show", ROLE_WATCH, inventory_show_params, true, call_inventory_show, NULL,
     "what a machine is made of", API_HOST},
    {"inventory.history", ROLE_WATCH, inventory_host_params, true, call_inventory_history, NULL,
     "its versions", API_HOST},
    {"inventory.list", ROLE_WATCH, inventory_list_params, true, NULL, NULL, "facts of many machines",
     API_TARGET, &list_inventory},
    {"inventory.diff", ROLE_WATCH, inventory_diff_params, true, call_inventory_diff, NULL,
     "what changed, or differs"},
    {"devicelog.show", ROLE_WATCH, devicelog_show_params, true, NULL, NULL,
     "what was read of devices' event and audit logs", API_TARGET, &list_device_log},
    {"run.start", ROLE_WATCH, run_start_params, false, NULL, call_run_start, "runs a task on a target",
     API_TARGET},
    {"run.cancel", ROLE_OPERATE, run_params, false, NULL, call_run_cancel, "begins no more hosts of a run",
     API_RUN},
    {"run.list", ROLE_WATCH, run_list_params, true, call_run_list, NULL, "runs, newest first", API_ANY},
    {"run.show", ROLE_WATCH, run_show_params, true, NULL, NULL, "one run with its results", API_ANY,
     &list_run},
    {"job.check", ROLE_WATCH, job_check_params, true, call_job_check, NULL, "reads a job file", API_ANY},
    {"job.run", ROLE_WATCH, job_run_params, false, NULL, call_job_run, "runs a job on a target", API_TARGET},
    {"job.retry", ROLE_WATCH, job_retry_params, false, NULL, call_job_retry,
     "runs a job anew on the hosts that failed", API_ANY},
    {"job.watch", ROLE_WATCH, job_watch_params, true, NULL, call_job_watch, "a run of a job as it goes on",
     API_RUN},
    {"job.pause", ROLE_OPERATE, run_params, false, NULL, call_job_pause, "begins no task of a run for now",
     API_RUN},
    {"job.resume", ROLE_OPERATE, run_params, false, NULL, call_job_resume, "goes on with a paused run",
     API_RUN},
    {"job.cancel", ROLE_OPERATE, run_params, false, NULL, call_job_cancel, "begins no more of a run",
     API_RUN},
    {"job.list", ROLE_WATCH, job_list_params, true, call_job_list, NULL, "runs of jobs, newest first",
     API_ANY},
    {"job.show", ROLE_WATCH, run_show_params, true, NULL, NULL, "one run of a job with its results", API_ANY,
     &list_job},
    {"schedule.add", ROLE_WATCH, schedule_add_params, false, NULL, call_schedule_add,
     "has a job begin by itself", API_TARGET},
    {"schedule.list", ROLE_WATCH, none, true, NULL, call_schedule_list, "all schedules", API_ANY},
    {"schedule.show", ROLE_WATCH, schedule_show_params, true, NULL, call_schedule_show,
     "one schedule, with its next times", API_ANY},
    {"schedule.remove", ROLE_OPERATE, name_only, false, NULL, call_schedule_remove, "forgets a schedule",
     API_ANY},
    {"schedule.enable", ROLE_OPERATE, name_only, false, NULL, call_schedule_enable, "goes on with one",
     API_ANY},
    {"schedule.disable", ROLE_OPERATE, name_only, false, NULL, call_schedule_disable, "begins it no more",
     API_ANY},
    {"job.schema", ROLE_WATCH, none, true, call_job_schema, NULL, "what a job file may hold", API_ANY},
    {"config.check", ROLE_WATCH, config_check_params, true, call_config_check, NULL,
     "reads a declared configuration", API_ANY},
    {"config.schema", ROLE_WATCH, none, true, call_config_schema, NULL, "what a configuration may hold",
     API_ANY},
    {"config.declare", ROLE_ADMINISTER, config_declare_params, false, NULL, call_config_declare,
     "declares the configuration of a collection"},
    {"config.declared", ROLE_WATCH, name_only, true, call_config_declared, NULL,
     "what is declared for a collection", API_ANY},
    {"config.list", ROLE_WATCH, none, true, call_config_list, NULL, "all collections with a configuration",
     API_ANY},
    {"config.forget", ROLE_ADMINISTER, name_only, false, call_config_forget, NULL,
     "declares nothing any more for a collection"},
    {"ider.start", ROLE_OPERATE, ider_start_params, false, NULL, call_ider_start,
     "serves images to a host until the end of the session", API_HOST},
    {"console.list", ROLE_WATCH, names_params, true, NULL, call_console_list, "consoles and how they are",
     API_CONSOLES},
    {"console.show", ROLE_WATCH, name_only, true, NULL, call_console_show, "one console", API_CONSOLE},
    {"console.events", ROLE_WATCH, console_events_params, true, NULL, call_console_events,
     "what happens at consoles", API_CONSOLES},
    {"console.who", ROLE_WATCH, names_params, true, NULL, call_console_who, "who is attached", API_CONSOLES},
    {"console.lease", ROLE_WATCH, console_lease_params, false, NULL, call_console_lease,
     "asks for, takes, gives the write lease", API_CONSOLES},
    {"console.message", ROLE_WATCH, console_message_params, false, NULL, call_console_message,
     "tells those who are attached", API_CONSOLE},
    {"console.broadcast", ROLE_WATCH, console_broadcast_params, false, NULL, call_console_broadcast,
     "tells those who are attached to many consoles", API_CONSOLES},
    {"console.note", ROLE_OPERATE, console_note_params, false, NULL, call_console_note,
     "writes a note into the journal", API_CONSOLE},
    {"console.send", ROLE_OPERATE, console_send_params, false, NULL, call_console_send,
     "types into many consoles", API_CONSOLES},
    {"console.break", ROLE_OPERATE, console_break_params, false, NULL, call_console_break, "sends a break",
     API_CONSOLE},
    {"console.up", ROLE_OPERATE, name_only, false, NULL, call_console_up, "connects now", API_CONSOLE},
    {"console.down", ROLE_OPERATE, name_only, false, NULL, call_console_down, "disconnects and stays so",
     API_CONSOLE},
    {"console.logging", ROLE_OPERATE, console_logging_params, false, NULL, call_console_logging,
     "logs, or does not", API_CONSOLE},
    {"console.disconnect", ROLE_OPERATE, console_disconnect_params, false, NULL, call_console_disconnect,
     "ends an attachment", API_CONSOLE},
    {"console.roll", ROLE_OPERATE, names_params, false, NULL, call_console_roll, "closes the open segments",
     API_CONSOLES},
    {"log.show", ROLE_WATCH, log_show_params, true, NULL, call_log_show, "what was logged", API_CONSOLE},
    {"log.search", ROLE_WATCH, log_search_params, true, NULL, call_log_search, "lines that match",
     API_CONSOLES},
    {"log.events", ROLE_WATCH, log_range_params, true, NULL, call_log_events, "what happened at a console",
     API_CONSOLE},
    {"log.verify", ROLE_WATCH, log_range_params, true, NULL, call_log_verify,
     "whether a log is what was logged", API_CONSOLE},
    {"mail.login", ROLE_ADMINISTER, mail_login_params, false, NULL, call_mail_login,
     "keeps or removes the login at the mail server"},
    {"mail.send", ROLE_OPERATE, mail_send_params, false, NULL, call_mail_send, "sends a mail"},
    {"event.list", ROLE_WATCH, event_list_params, true, NULL, call_event_list, "what happened", API_ANY},
    {"event.follow", ROLE_WATCH, event_follow_params, true, NULL, call_event_follow,
     "what happened, and what happens", API_ANY},
    {"event.show", ROLE_WATCH, event_show_params, true, NULL, call_event_show, "one event with all it has",
     API_ANY},
    {"node.invite", ROLE_ADMINISTER, node_invite_params, false, NULL, call_node_invite,
     "a token with which a node joins"},
    {"node.list", ROLE_WATCH, none, true, NULL, call_node_list, "the nodes of this server"},
    {"node.show", ROLE_WATCH, name_only, true, NULL, call_node_show, "one node"},
    {"node.remove", ROLE_ADMINISTER, name_only, false, NULL, call_node_remove, "forgets a node"},
    {"node.join", ROLE_ADMINISTER, node_join_params, false, NULL, call_node_join,
     "makes this amtd a node of a server"},
    {"client.invite", ROLE_ADMINISTER, client_invite_params, false, NULL, call_client_invite,
     "a token with which amtcli on another machine joins"},
    {"client.list", ROLE_WATCH, none, true, NULL, call_client_list, "clients on other machines"},
    {"client.remove", ROLE_ADMINISTER, name_only, false, NULL, call_client_remove, "forgets a client"},
    {"server.list", ROLE_WATCH, none, true, NULL, call_server_list, "servers that this amtd is a node of"},
    {"server.remove", ROLE_ADMINISTER, name_only, false, NULL, call_server_remove, "leaves a server"},
    {"purge.run", ROLE_ADMINISTER, purge_run_params, false, NULL, call_purge_run,
     "removes what was kept long enough"},
    {"purge.show", ROLE_WATCH, none, true, NULL, call_purge_show,
     "how long what is kept, and what was removed last"},
    {"activity.export", ROLE_WATCH, activity_export_params, true, NULL, call_activity_export,
     "who did what, all of it, oldest first"},
    {"activity.verify", ROLE_WATCH, none, true, NULL, call_activity_verify,
     "whether the activity log is what was written"},
    {"activity.list", ROLE_WATCH, activity_params, true, call_activity_list, NULL, "who did what", API_ANY},
    {NULL},
};

const char *param_text(const json_t *params, const char *name)
{
    return json_string_value(json_object_get(params, name));
}

int param_number(const json_t *params, const char *name, int64_t *out, struct err *err)
{
    const json_t *value = json_object_get(params, name);

    if (!value)
        return 0;
    *out = json_integer_value(value);
    return *out >= 0 ? 0 : err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' must not be negative", name);
}

int param_time(const json_t *params, const char *name, const char *ago, int64_t *out, struct err *err)
{
    const char *text = param_text(params, name);
    int64_t ms = -1;

    if (text && !clock_from_text(text, out))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'%s': '%s' is neither a time ago, such as 2h or 7d, nor a time such as "
                       "2026-01-02T03:04:05Z",
                       name, text);
    if (param_number(params, ago, &ms, err) != 0)
        return -1;
    if (ms >= 0)
        *out = clock_wall(clock_system()) - ms;
    return 0;
}

int param_limit(const json_t *params, size_t *limit, struct err *err)
{
    const json_t *json = json_object_get(params, "limit");

    *limit = LIMIT_DEFAULT;
    if (!json)
        return 0;
    if (json_integer_value(json) < 1 || json_integer_value(json) > LIMIT_MOST)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'limit' must be from 1 to %d", LIMIT_MOST);
    *limit = (size_t)json_integer_value(json);
    return 0;
}

json_t *json_time(int64_t wall_ms)
{
    char text[CLOCK_TEXT_MAX];

    return wall_ms > 0 ? json_string(clock_text(wall_ms, text)) : json_null();
}

json_t *json_folded(const struct hosts *hosts)
{
    struct hostlist *list = hostlist_new();
    struct buf text = buf_init(64 << 20);
    json_t *json;

    for (size_t i = 0; i < hosts->count; i++)
        hostlist_add(list, hosts->items[i].name, NULL);
    hostlist_fold(list, &text);
    json = json_string(buf_str(&text));
    buf_free(&text);
    hostlist_free(list);
    return json;
}
