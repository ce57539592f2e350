/* The table of all calls. Names and shapes: docs/api.md. */
#include "amtd/api/calls.h"

#include "base/buf.h"
#include "base/clock.h"

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
    {"rows", API_ARRAY, true, "objects with name, address, profile, tags"},
    {"update", API_BOOLEAN, false, "change hosts that are there"},
    END,
};
static const struct api_param host_list_params[] = {{"target", API_STRING, false, "which hosts"}, END};
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
    TARGET, {"confirmed", API_BOOLEAN, false, "needed for more than ten hosts"}, END};
static const struct api_param collection_put_params[] = {
    NAME,
    {"list", API_STRING, false, "a host list"},
    {"where", API_STRING, false, "a query"},
    {"replace", API_BOOLEAN, false, "when it is there"},
    END,
};
static const struct api_param profile_put_params[] = {
    NAME,
    {"replace", API_BOOLEAN, false, "change the one that is there"},
    {"position", API_INTEGER, false, "in the order of trying"},
    {"auth", API_STRING, false, "digest or kerberos"},
    {"user", API_STRING, false, "for digest"},
    {"password", API_STRING, false, "for digest"},
    {"ccache", API_STRING, false, "Kerberos credential cache"},
    {"tls", API_STRING, false, "none, ca or pin"},
    {"ca_file", API_STRING, false, "PEM"},
    {"client_cert_file", API_STRING, false, "PEM"},
    {"client_key_file", API_STRING, false, "PEM"},
    {"old_tls", API_BOOLEAN, false, "allow old TLS; needs tls pin"},
    {"port", API_INTEGER, false, "0: 16992 or 16993"},
    {"connect_ms", API_INTEGER, false, "time for a connection"},
    {"request_ms", API_INTEGER, false, "time for an answer"},
    END,
};
static const struct api_param run_start_params[] = {
    {"task", API_STRING, true, "power, boot, info, doctor, probe, prepare, filter"},
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
    {"confirmed", API_BOOLEAN, false, "needed for more than ten hosts"},
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
static const struct api_param run_list_params[] = {{"limit", API_INTEGER, false, "newest so many"}, END};
static const struct api_param activity_params[] = {
    {"since_ms", API_INTEGER, false, "how long ago"},
    {"host", API_STRING, false, "only what touched it"},
    {"limit", API_INTEGER, false, "newest so many"},
    END,
};

const struct api_call api_calls[] = {
    {"daemon.status", ROLE_WATCH, none, true, NULL, call_daemon_status, "how amtd is"},
    {"daemon.stop", ROLE_ADMINISTER, none, false, NULL, call_daemon_stop, "ends amtd"},
    {"host.add", ROLE_ADMINISTER, host_add_params, false, call_host_add, NULL, "adds hosts"},
    {"host.import", ROLE_ADMINISTER, host_import_params, false, call_host_import, NULL,
     "adds hosts from a table"},
    {"host.list", ROLE_WATCH, host_list_params, true, call_host_list, NULL, "hosts with tags and facts"},
    {"host.set", ROLE_ADMINISTER, host_set_params, false, call_host_set, NULL, "changes hosts"},
    {"host.remove", ROLE_ADMINISTER, host_remove_params, false, call_host_remove, NULL, "removes hosts"},
    {"collection.put", ROLE_ADMINISTER, collection_put_params, false, call_collection_put, NULL,
     "adds a collection"},
    {"collection.list", ROLE_WATCH, none, true, call_collection_list, NULL, "all collections"},
    {"collection.show", ROLE_WATCH, name_only, true, call_collection_show, NULL, "one collection"},
    {"collection.remove", ROLE_ADMINISTER, name_only, false, call_collection_remove, NULL,
     "removes a collection"},
    {"profile.put", ROLE_ADMINISTER, profile_put_params, false, call_profile_put, NULL, "adds a profile"},
    {"profile.list", ROLE_WATCH, none, true, call_profile_list, NULL, "all profiles"},
    {"profile.show", ROLE_WATCH, name_only, true, call_profile_show, NULL, "one profile"},
    {"profile.remove", ROLE_ADMINISTER, name_only, false, call_profile_remove, NULL, "removes a profile"},
    {"target.resolve", ROLE_WATCH, target_only, true, call_target_resolve, NULL, "the hosts of a target"},
    {"target.words", ROLE_WATCH, none, true, call_target_words, NULL, "names, for completion"},
    {"filter.status", ROLE_WATCH, host_list_params, true, call_filter_status, NULL,
     "which filters are active where, since when and by whom"},
    {"filter.confirm", ROLE_QUARANTINE, target_only, false, call_filter_confirm, NULL,
     "keeps filters that would undo themselves"},
    {"run.start", ROLE_WATCH, run_start_params, false, NULL, call_run_start, "runs a task on a target"},
    {"run.cancel", ROLE_OPERATE, run_params, false, NULL, call_run_cancel, "begins no more hosts of a run"},
    {"run.list", ROLE_WATCH, run_list_params, true, call_run_list, NULL, "runs, newest first"},
    {"run.show", ROLE_WATCH, run_params, true, call_run_show, NULL, "one run with its results"},
    {"ider.start", ROLE_OPERATE, ider_start_params, false, NULL, call_ider_start,
     "serves images to a host until the end of the session"},
    {"activity.list", ROLE_WATCH, activity_params, true, call_activity_list, NULL, "who did what"},
    {NULL},
};

const char *param_text(const json_t *params, const char *name)
{
    return json_string_value(json_object_get(params, name));
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
