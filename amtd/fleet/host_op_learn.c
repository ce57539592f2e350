#include "amtd/fleet/host_op_internal.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/machine.h"
#include "base/xalloc.h"

/* --- what the session saw --- */

static void learn(struct host_op *op, const char *name, const char *value)
{
    const char *known = pairs_get(&op->host->facts, name);

    if (value && value[0] && !(known && strcmp(known, value) == 0))
        pairs_set(&op->facts, name, value);
}

static void learn_certificate(struct host_op *op, const struct http_facts *seen)
{
    char text[CLOCK_TEXT_MAX];

    learn(op, "tls.pin", seen->pin);
    if (seen->not_after_ms > 0)
        learn(op, "tls.not-after", clock_text(seen->not_after_ms, text));
}

/* What tells this machine from others, the next time. */
static void learn_identity(struct host_op *op, const struct http_facts *seen)
{
    learn(op, "amt.realm", seen->realm);
    if (op->login.profile->tls != PROFILE_TLS_NONE)
        learn_certificate(op, seen);
}

/* Whoever let us in may be taken for this host. */
static bool is_the_host(const struct host_op *op)
{
    return op->asked || !machine_uuid(op->host) || link_is_meant(op->link) ||
           machine_is_proved(op->host, &op->login);
}

void host_op_learn(struct host_op *op, const struct err *failure)
{
    struct http_facts seen;
    char version[32];

    if (op->link && op->login.profile) {
        seen = http_session_facts(link_session(op->link));
        if (http_server_version(seen.server, version, sizeof(version)) && version[0] &&
            !pairs_get(&op->host->facts, "amt.version"))
            learn(op, "amt.version", version);
        if (!failure && is_the_host(op)) {
            learn_identity(op, &seen);
            link_note_stored(op->link);
            learn(op, "interface", interface_name(op->interface));
            learn(op, "profile", op->login.profile->name);
        }
    }
    learn(op, "reach", failure ? cause_name(failure->cause) : "ok");
}

/* --- which machine it is --- */

bool host_op_must_ask(const struct host_op *op)
{
    return op->order->task->changes(op->order->args) && !op->proof && !op->asked &&
           !link_is_meant(op->link) && !machine_is_proved(op->host, &op->login);
}

int host_op_hear_machine(struct host_op *op, const char *uuid, const struct err *why, struct err *err)
{
    if (machine_compare(op->host, uuid, why, err) != 0)
        return -1;
    op->asked = true;
    if (uuid[0]) {
        link_note_meant(op->link);
        learn(op, "amt.uuid", uuid);
    }
    return 0;
}

int host_op_found_machine(struct host_op *op, struct err *err)
{
    struct finding finding = {0};
    const char *uuid;
    int status = 0;

    if (is_the_host(op))
        return 0;
    op->order->task->find(op->work, NULL, &finding);
    uuid = pairs_get(&finding.facts, "amt.uuid");
    if (uuid)
        status = host_op_hear_machine(op, uuid, NULL, err);
    finding_clear(&finding);
    return status;
}

struct pairs host_op_identity(struct host_op *op)
{
    struct pairs copy = {0};
    struct http_facts seen = http_session_facts(link_session(op->link));

    if (!op->asked)
        return copy;
    learn_identity(op, &seen);
    for (size_t i = 0; i < op->facts.count; i++)
        pairs_set(&copy, op->facts.items[i].name, op->facts.items[i].value);
    return copy;
}

/* --- what the task found --- */

void host_op_take_finding(struct host_op *op, const struct err *failure)
{
    const struct task *task = op->order->task;
    struct finding finding = {0};

    if (op->work)
        task->find(op->work, failure, &finding);
    else if (task->unbegun)
        finding.detail = task->unbegun();
    xreplace(&op->record->from, finding.from);
    xreplace(&op->record->to, finding.to);
    op->record->tries = finding.tries;
    if (!failure)
        xreplace(&op->record->message, finding.remark);
    for (size_t i = 0; i < finding.facts.count; i++)
        learn(op, finding.facts.items[i].name, finding.facts.items[i].value);
    if ((op->steps || op->walked) && !finding.detail)
        finding.detail = json_object();
    if (op->walked) {
        json_array_extend(op->walked, json_object_get(finding.detail, "checks"));
        json_object_set_new(finding.detail, "checks", op->walked);
        op->walked = NULL;
    }
    if (op->steps) {
        json_object_set_new(finding.detail, "steps", op->steps);
        op->steps = NULL;
    }
    if (finding.detail)
        op->record->detail = json_dumps(finding.detail, JSON_COMPACT);
    op->kept = finding.kept;
    finding.kept = NULL;
    finding_clear(&finding);
}
