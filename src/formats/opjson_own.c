/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/opjson.h"

#include <math.h>

#include "formats/opwords.h"

static bool iso_date(atg_str s) {
    static const char form[] = "dddd-dd-dd";

    if (s.n != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (form[i] == 'd' ? s.p[i] < '0' || s.p[i] > '9' : s.p[i] != form[i])
            return false;
    return true;
}

static int read_consent(opjson *o, const json_t *v, atg_consent *ret) {
    static const char *const keys[] = {"person", "recipient", "until", NULL};
    jin *j = &o->j;
    atg_str person = ATG_STR("");
    int rc = jin_is_object(j, v);

    if (!rc)
        rc = jin_get_id(j, v, "person", JIN_REQUIRED, &person);
    if (!rc)
        rc = jin_get_id(j, v, "recipient", JIN_REQUIRED, &ret->recipient);
    if (!rc)
        rc = jin_get_text(j, v, "until", JIN_OPTIONAL, &ret->until);
    if (rc)
        return rc;
    jin_known(j, v, keys);

    int64_t at = map_get(o->family.ids, person);

    if (at < 0)
        return jin_fail_key(j, "person", ATG_EINVAL, "\"%.*s\" is not a member of this family",
                            ATG_FMT(person));
    if (ret->until.n && !iso_date(ret->until))
        return jin_fail_key(j, "until", ATG_EPARSE, "Write a date as 2031-12-31");
    ret->person = (uint32_t)at;
    rc = jin_keep(j, &ret->recipient);
    return !rc && ret->until.n ? jin_keep(j, &ret->until) : rc;
}

static int read_consents(opjson *o, const json_t *v, atg_family *fam) {
    jin *j = &o->j;
    const json_t *list = json_object_get(v, "consents");
    size_t n = json_array_size(list);

    if (!list || json_is_null(list))
        return ATG_OK;
    jin_key(j, "consents");

    atg_consent *consents = ATG_GET(j->arena, atg_consent, n);
    int rc = consents ? jin_is_array(j, list) : jin_nomem(j);

    for (size_t i = 0; i < n && !rc; i++) {
        jin_index(j, i);
        rc = read_consent(o, json_array_get(list, i), &consents[i]);
        jin_up(j);
    }
    jin_up(j);
    fam->n_consents = (uint32_t)n;
    fam->consents = consents;
    return rc;
}

int opjson_family(void *user, jin *j, const json_t *v, uint32_t index) {
    static const char *const keys[] = {"id", "members", "consents", NULL};
    opjson *o = user;
    atg_family *fam = opjson_push(j->arena, &o->families, sizeof(*fam));

    if (!fam)
        return jin_nomem(j);

    int rc = jin_is_object(j, v);

    if (!rc)
        rc = jin_get_id(j, v, "id", JIN_REQUIRED, &fam->id);
    if (!rc)
        rc = jin_keep(j, &fam->id);
    if (!rc)
        rc = opjson_take_id(j, o->family_ids, fam->id, index, "id");
    if (rc)
        return rc;
    jin_known(j, v, keys);
    rc = opjson_members(o, v, index, fam);
    return rc ? rc : read_consents(o, v, fam);
}

static int read_population(opjson *o) {
    static const char *const keys[] = {"name", "source", "n", NULL};
    jin *j = &o->j;
    json_auto_t *v = NULL;
    int rc = jin_enter_load(j, "population", JIN_REQUIRED, &v);

    if (!rc)
        rc = jin_is_object(j, v);
    if (!rc)
        rc = jin_get_id(j, v, "name", JIN_REQUIRED, &o->params.population);
    if (!rc)
        rc = jin_keep(j, &o->params.population);
    if (!rc)
        rc = jin_get_text(j, v, "source", JIN_OPTIONAL, &o->params.source);
    if (!rc)
        rc = jin_keep(j, &o->params.source);
    if (!rc)
        rc = jin_get_count(j, v, "n", JIN_OPTIONAL, &o->params.n_population);
    if (!rc)
        jin_known(j, v, keys);
    return rc;
}

/* A number of the outermost object, in [lo, hi]; the sentence says so. */
static int read_number(opjson *o, const char *key, jin_need need, double lo, double hi,
                       double *ret) {
    jin *j = &o->j;
    json_auto_t *v = NULL;
    int rc = jin_enter_load(j, key, need, &v);

    if (rc || !v || (json_is_null(v) && !need))
        return rc;
    if (!json_is_number(v))
        return jin_fail(j, ATG_EPARSE, "Write a number here");

    double x = json_number_value(v);

    if (!(x >= lo && x <= hi))
        return jin_fail(j, ATG_EINVAL, "This is %g; it must be from %g to %g", x, lo, hi);
    *ret = x + 0.0; /* -0 is 0 */
    return ATG_OK;
}

static int read_numbers(opjson *o) {
    atg_params *p = &o->params;
    double incompatible = p->max_incompatible;
    int rc = read_number(o, "theta", JIN_REQUIRED, 0, 0.5, &p->theta);

    if (!rc)
        rc = read_number(o, "min_frequency", JIN_OPTIONAL, 0, 0.499, &p->min_freq);
    if (!rc)
        rc = read_number(o, "process_error", JIN_OPTIONAL, 0, 0.499, &p->process_error);
    if (!rc)
        rc = read_number(o, "threshold", JIN_OPTIONAL, 0.9995, 1, &p->threshold);
    if (!rc)
        rc = read_number(o, "min_log10_lr", JIN_OPTIONAL, -1000, 1000, &p->min_log10_lr);
    if (!rc)
        rc = read_number(o, "max_incompatible", JIN_OPTIONAL, 0, ATG_MARKERS_MAX, &incompatible);
    if (!rc && incompatible != floor(incompatible))
        rc = jin_fail(&o->j, ATG_EPARSE, "Write a whole number here");
    p->max_incompatible = (uint32_t)incompatible;
    return rc;
}

static int read_odds(opjson *o, const json_t *v, double *given) {
    static const char *const keys[] = {"remains", "missing", "odds", NULL};
    jin *j = &o->j;
    atg_str remains = ATG_STR(""), missing = ATG_STR("");
    double odds = 0;
    int rc = jin_is_object(j, v);

    if (!rc)
        rc = jin_get_id(j, v, "remains", JIN_REQUIRED, &remains);
    if (!rc)
        rc = jin_get_id(j, v, "missing", JIN_REQUIRED, &missing);
    if (!rc)
        rc = jin_get_number(j, v, "odds", JIN_REQUIRED, &odds);
    if (rc)
        return rc;
    jin_known(j, v, keys);

    int64_t s = map_get(o->sample_ids, remains), m = map_get(o->missing_ids, missing);

    if (s < 0)
        return jin_fail_key(j, "remains", ATG_EINVAL, "There are no remains \"%.*s\"",
                            ATG_FMT(remains));
    if (m < 0)
        return jin_fail_key(j, "missing", ATG_EINVAL, "There is no missing person \"%.*s\"",
                            ATG_FMT(missing));
    if (!(odds >= 0))
        return jin_fail_key(j, "odds", ATG_EINVAL, "Odds are 0 or more");
    given[(size_t)s * o->missing.n + (size_t)m] = odds;
    return ATG_OK;
}

static int read_given(opjson *o, const json_t *list) {
    jin *j = &o->j;
    atg_operation op = {.params = o->params, .n_missing = o->missing.n};
    size_t n = (size_t)o->samples.n * o->missing.n;
    int rc = jin_is_array(j, list);

    if (!rc && n > OPJSON_ODDS_MAX)
        rc = jin_fail(j, ATG_ELIMIT,
                      "Given odds need a table of all pairs, which is possible up to %d pairs",
                      OPJSON_ODDS_MAX);
    if (rc || json_array_size(list) == 0)
        return rc;

    double *given = ATG_GET(j->arena, double, n);

    if (!given)
        return jin_nomem(j);
    for (size_t i = 0; i < n; i++)
        given[i] = atg_prior_odds(&op, 0, 0);
    for (size_t i = 0; i < json_array_size(list) && !rc; i++) {
        jin_index(j, i);
        rc = read_odds(o, json_array_get(list, i), given);
        jin_up(j);
    }
    o->params.prior.given = given;
    return rc;
}

int opjson_read_prior(opjson *o) {
    static const char *const keys[] = {"kind", "not_on_list", "n_expected", "given", NULL};
    jin *j = &o->j;
    atg_prior *p = &o->params.prior;
    json_auto_t *v = NULL;
    atg_str kind = ATG_STR("");
    int rc = jin_enter_load(j, "prior", JIN_OPTIONAL, &v);

    if (rc || !v)
        return rc;
    rc = jin_is_object(j, v);
    if (!rc)
        rc = jin_get_text(j, v, "kind", JIN_REQUIRED, &kind);
    if (!rc)
        rc = jin_get_count(j, v, "n_expected", JIN_OPTIONAL, &p->n_expected);
    if (rc)
        return rc;
    jin_known(j, v, keys);

    int i = 0;

    while (opwords_priors[i] && !atg_str_eq(kind, atg_str_of(opwords_priors[i])))
        i++;
    if (!opwords_priors[i])
        return jin_fail_key(j, "kind", ATG_EPARSE,
                            "Write \"flat\", \"closed\" or \"open\"; this is \"%.*s\"",
                            ATG_FMT(kind));
    p->kind = (atg_prior_kind)i;
    rc = jin_get_share(j, v, "not_on_list", p->kind == ATG_PRIOR_OPEN ? JIN_REQUIRED : JIN_OPTIONAL,
                       &p->not_on_list);

    const json_t *given = json_object_get(v, "given");

    if (rc || !given || json_is_null(given))
        return rc;
    jin_key(j, "given");
    rc = read_given(o, given);
    return rc;
}

static int read_list(opjson *o, const char *key, jin_element_fn *fn) {
    const jin_extent *list;
    int rc = jin_enter(&o->j, key, JIN_OPTIONAL, &list);

    return rc || !list ? rc : jin_each(&o->j, *list, fn, o);
}

int opjson_read_head(opjson *o) {
    static const char *const keys[] = {
        "schema",       "name",    "population", "theta",         "min_frequency",
        "threshold",    "prior",   "markers",    "process_error", "max_incompatible",
        "min_log10_lr", "remains", "families",   "staff",         "note",
        "$schema",      NULL};
    jin *j = &o->j;
    json_auto_t *markers = NULL;

    jin_known_members(j, keys);

    int rc = read_population(o);

    if (!rc)
        rc = read_numbers(o);
    if (!rc)
        rc = jin_enter_load(j, "markers", JIN_REQUIRED, &markers);
    return rc ? rc : opjson_markers(o, markers);
}

int opjson_read_own(opjson *o) {
    int rc = opjson_read_head(o);

    if (!rc)
        rc = read_list(o, "remains", opjson_sample);
    if (!rc)
        rc = read_list(o, "families", opjson_family);
    if (!rc)
        rc = read_list(o, "staff", opjson_staff);
    return rc ? rc : opjson_read_prior(o);
}
