/* filter: as `amtcli filter apply` and `amtcli filter remove` do it. */
#include "amtd/jobs/kinds.h"

#define YEAR_MS ((int64_t)366 * 86400000)

static const struct job_param params[] = {
    {"apply", JOB_PARAM_FILE, .field = "file", .main = true, .text = "the filter file to put there"},
    {"remove", JOB_PARAM_BOOL, .standard = "false", .text = "take away what amtd put there"},
    {"all", JOB_PARAM_BOOL, .standard = "false", .text = "with remove: whatever is there"},
    {"set", JOB_PARAM_PAIRS, .max = 100, .text = "what the names in the file stand for"},
    {"for", JOB_PARAM_DURATION, .field = "for_ms", .min = 1000, .max = YEAR_MS,
     .text = "undo itself after this time"},
    {"confirm-within", JOB_PARAM_DURATION, .field = "confirm_within_ms", .min = 1000, .max = YEAR_MS,
     .text = "undo itself unless somebody confirms in time"},
    {"anti-spoof", JOB_PARAM_BOOL, .field = "anti_spoof", .standard = "false",
     .text = "drop packets with an address that is not the machine's own"},
    {"widen", JOB_PARAM_BOOL, .standard = "false", .text = "let more pass where hardware cannot say it"},
    {"untested", JOB_PARAM_BOOL, .standard = "false",
     .text = "also on more than five hosts of a generation on which the file was never tried"},
    {"force", JOB_PARAM_BOOL, .standard = "false",
     .text = "also a file that cuts off this server; needs confirm-within"},
    {NULL},
};

static int filter_shape(json_t **args, struct err *err)
{
    bool removes = json_is_true(json_object_get(*args, "remove"));
    bool applies = json_object_get(*args, "file") != NULL;

    json_t *file = json_object_get(*args, "file"), *addresses = json_object_get(file, "addresses");

    if (addresses) { /* of host names in the file, found out by whoever sent it */
        json_object_set(*args, "addresses", addresses);
        json_object_del(file, "addresses");
    }
    json_object_del(*args, "remove");
    json_object_set_new(*args, "action", json_string(removes ? "remove" : "apply"));
    return removes != applies ? 0 : err_set(err, CAUSE_INVALID_ARGUMENT, "either 'apply' or 'remove'");
}

/* Back to what was there before; what was taken away cannot be put back from here. */
static json_t *filter_undo(const json_t *args, const struct operation *was, const char **task)
{
    (void)was;
    (void)task;
    return json_object_get(args, "file") ? json_pack("{s:s, s:b}", "action", "undo", "now", 1) : NULL;
}

/* The plan for a device is made from what is there: done anew, it finds what is missing. */
const struct job_kind job_kind_filter = {
    .name = "filter",
    .text = "put a filter file into the network hardware, or take it away",
    .params = params,
    .task = "filter",
    .role = JOB_QUARANTINES,
    .shape = filter_shape,
    .undo = filter_undo,
};
