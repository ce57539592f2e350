#include "amtd/fleet/proof.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct proof *proof_new(const struct login *before, const struct secret *fresh, bool likely,
                        const struct err *failure)
{
    struct proof *proof = xcalloc(1, sizeof(*proof));

    identity_seq_init(&proof->seq, IDENTITY_BRIEF);
    proof->before = *before;
    proof->fresh.user = xstrdup(before->profile->user);
    proof->fresh.next = secret_share(fresh);
    proof->fresh_first = likely;
    proof->failed = failure != NULL;
    if (failure)
        proof->failure = *failure;
    return proof;
}

void proof_free(struct proof *proof)
{
    if (!proof)
        return;
    free(proof->fresh.user);
    secret_free(proof->fresh.next);
    free(proof);
}

bool proof_login(const struct proof *proof, size_t k, struct login *out)
{
    *out = (struct login){NULL};
    if (k > 1)
        return false;
    *out = proof->before;
    if ((k == 0) == proof->fresh_first) {
        out->password = proof->fresh.next;
        out->own = &proof->fresh;
        out->unproven = true;
    }
    return true;
}
