/* SPDX-License-Identifier: Apache-2.0 */
/* Amelogenin against the recorded sex: a flag that is shown and never counts. */
#include "dna/sex.h"
#include "match/lines.h"

static int compile_sex(atg_arena *arena, const atg_operation *op, uint32_t missing, void **ret,
                       atg_err *err) {
    atg_sex *sex = ATG_GET(arena, atg_sex, 1);

    if (missing >= op->n_missing)
        return atg_fail(err, ATG_EINVAL, "There is no missing person %u", missing);
    if (!sex)
        return atg_fail(err, ATG_ENOMEM, "Out of memory explaining a pair");

    const atg_missing *who = &op->missing[missing];

    *sex = op->families[who->family].ped.persons[who->person].sex;
    *ret = sex;
    return ATG_OK;
}

static int explain_sex(atg_arena *arena, const atg_operation *op, const void *compiled,
                       uint32_t missing, const atg_sample *sample, atg_evidence *ret,
                       atg_err *err) {
    atg_sex recorded = *(const atg_sex *)compiled;
    atg_sex seen = sex_of_amelogenin(op, sample->genos, sample->dropout);
    bool fits = seen == recorded;
    atg_evidence e = {.reason = ATG_STR("Amelogenin was not read, or the sex is not recorded."),
                      .table = ATG_STR("none")};

    (void)missing;
    if (seen != ATG_SEX_UNKNOWN && recorded != ATG_SEX_UNKNOWN && !sample->mixture) {
        e.finding = fits ? ATG_FINDING_SUPPORTS : ATG_FINDING_CONTRADICTS;
        e.reason =
            atg_arena_printf(arena,
                             "Amelogenin of the sample says %s and the missing person is "
                             "recorded as %s%s.",
                             sex_word(seen), sex_word(recorded),
                             fits ? "" : ": look at the record and the sample; no exclusion");
    }

    int rc = lines_made(e.reason, err);

    if (!rc)
        *ret = e;
    return rc;
}

const atg_line line_amelogenin = {"amelogenin", ATG_LINE_LEAD, 0, compile_sex, explain_sex};
