/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <string.h>

#include "app/faces_calibrate.h"
#include "base/json.h"
#include "cli/show.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 20, SEXES = 2, AGES = 4, GROUPS = SEXES + AGES };

static const char *const names[GROUPS] = {"female",         "male",           "under 18 years",
                                          "18 to 39 years", "40 to 64 years", "65 years and more"};

/* By the recorded one; FACE_GROUP_NONE: not recorded, or a range over two groups. */
static uint32_t sex_group(const face_person *p) {
    return p->sex == FACE_SEX_FEMALE ? 0 : p->sex == FACE_SEX_MALE ? 1 : FACE_GROUP_NONE;
}

static uint32_t age_group(const face_person *p) {
    static const int16_t ends[AGES - 1] = {18, 40, 65};
    uint32_t low = 0, high = 0;

    if (p->age_low < 0 || p->age_high < 0)
        return FACE_GROUP_NONE;
    for (uint32_t i = 0; i < AGES - 1; i++) {
        low += p->age_low >= ends[i];
        high += p->age_high >= ends[i];
    }
    return low == high ? low : FACE_GROUP_NONE;
}

static int rate(const store_session *s, const faces_closed *c, double threshold,
                face_rates ret[GROUPS], atg_err *err) {
    uint32_t *sex = ATG_GET(s->arena, uint32_t, c->n + 1);
    uint32_t *age = ATG_GET(s->arena, uint32_t, c->n + 1);
    int rc;

    if (!sex || !age)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for faces");
    for (uint32_t i = 0; i < c->n; i++) {
        sex[i] = sex_group(&c->persons[i]);
        age[i] = age_group(&c->persons[i]);
    }
    rc = face_group_rates(c->n, c->n_pairs, c->pairs, &(face_grouping){SEXES, sex}, threshold, ret,
                          err);
    return rc ? rc
              : face_group_rates(c->n, c->n_pairs, c->pairs, &(face_grouping){AGES, age}, threshold,
                                 ret + SEXES, err);
}

static void write_share(json *j, const char *key, const double share[3], bool enough) {
    json_key(j, key);
    if (!enough) {
        json_none(j);
        return;
    }
    json_array_line(j);
    for (int i = 0; i < 3; i++)
        json_num(j, share[i]);
    json_end(j, ']');
}

static void print_json(const face_rates *rates, double threshold, uint32_t n, atg_buf *buf) {
    json j = json_new(buf);

    json_begin_object(&j);
    json_key(&j, "threshold");
    json_num(&j, threshold);
    json_key(&j, "closed_cases");
    json_int(&j, n);
    json_key(&j, "groups");
    json_begin_array(&j);
    for (uint32_t g = 0; g < GROUPS; g++) {
        const face_rates *r = &rates[g];

        json_object_line(&j);
        json_key(&j, "group");
        json_text(&j, names[g]);
        json_key(&j, "cases");
        json_int(&j, r->n_cases);
        json_key(&j, "probes");
        json_int(&j, r->n_probes);
        write_share(&j, "missed", (double[]){r->miss, r->miss_lower, r->miss_upper}, r->enough);
        write_share(&j, "false_matches", (double[]){r->match, r->match_lower, r->match_upper},
                    r->enough);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
    atg_buf_adds(buf, "\n");
}

static int print_text(const store_session *s, const face_rates *rates, double threshold,
                      atg_buf *buf, atg_err *err) {
    grid g = grid_new(s->arena, "lrrll");
    int rc;

    atg_buf_printf(buf, "At a score of %g:\n", threshold);
    grid_text(&g, "Group");
    grid_text(&g, "Cases");
    grid_text(&g, "Probes");
    grid_text(&g, "Missed (95 %)");
    grid_text(&g, "False matches (95 %)");
    for (uint32_t i = 0; i < GROUPS; i++) {
        const face_rates *r = &rates[i];

        grid_text(&g, names[i]);
        grid_printf(&g, "%u", r->n_cases);
        grid_printf(&g, "%u", r->n_probes);
        if (r->enough) {
            grid_printf(&g, "%.1f %% (%.1f-%.1f)", 100 * r->miss, 100 * r->miss_lower,
                        100 * r->miss_upper);
            grid_printf(&g, "%.2f %% (%.2f-%.2f)", 100 * r->match, 100 * r->match_lower,
                        100 * r->match_upper);
        } else {
            grid_text(&g, "too few cases");
            grid_text(&g, "too few cases");
        }
    }
    rc = grid_print(&g, buf, err);
    atg_buf_adds(buf, "Origin is not reported: it is sealed. A group needs 30 closed cases; who "
                      "has no sex or age recorded is in none.\n");
    return rc;
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    STORE_SESSION s = {0};
    double threshold = 0.3;
    face_rates rates[GROUPS];
    face_version version;
    faces_closed closed;
    atg_err err = {0};
    int code = cli_number(a, OPT_SCORE, -1, 1, &threshold);

    if (!code)
        code = cli_store_open_here(a, &s);
    if (!code)
        code = cli_store_operation(a, &s);
    if (code)
        return code;
    if (faces_version_used(s.c, &s.operation.id, &version, &err) ||
        faces_closed_cases(s.c, &s.who, s.arena, &s.operation.id, &version, &closed, &err) ||
        rate(&s, &closed, threshold, rates, &err))
        return cli_fail(NULL, &err);
    if (buf && cli_has(a, OPT_JSON))
        print_json(rates, threshold, closed.n, buf);
    else if (buf && print_text(&s, rates, threshold, buf, &err))
        return cli_fail(NULL, &err);
    return cli_write(a, buf);
}

static const option_id options[] = {OPT_SCORE, OPT_JSON, OPT_OUTPUT, OPT_OPERATION, HERE_OPTIONS};

const command command_face_report = {
    .name = "face report",
    .summary = "Show how often faces miss and mislead, by recorded sex and age.",
    .operands = "",
    .details = "Of closed cases, as 'antigone face calibrate' takes them: which share of the "
               "identified scores below --score with their own photographs, and which share of "
               "pairs of two persons of the group scores at or above it, each with a 95 % "
               "interval. Groups of fewer than 30 cases tell no share. Needs the right to match.",
    .options = options,
    .run = run,
};
