/* config: as `amtcli config apply` does it. */
#include "amtd/jobs/kinds.h"

static const struct job_param params[] = {
    {"apply", JOB_PARAM_FILE, .field = "file", .main = true,
     .text = "the configuration that devices are to have"},
    {"collection", JOB_PARAM_TEXT, .max = 64, .text = "the one that is declared for this collection"},
    {"force", JOB_PARAM_BOOL, .standard = "false", .text = "also what moves devices to other addresses"},
    {NULL},
};

static int config_shape(json_t **args, struct err *err)
{
    bool file = json_object_get(*args, "file"), collection = json_object_get(*args, "collection");

    json_object_set_new(*args, "action", json_string("apply"));
    return file != collection ? 0 : err_set(err, CAUSE_INVALID_ARGUMENT, "either 'apply' or 'collection'");
}

/* What is right already is left alone: done anew, it finds what is missing. */
const struct job_kind job_kind_config = {
    .name = "config",
    .text = "make a device's settings what they are declared to be",
    .params = params,
    .task = "config",
    .role = JOB_ADMINISTERS,
    .shape = config_shape,
};
