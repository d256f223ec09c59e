/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "formats/frequencies.h"
#include "formats/jsonin.h"
#include "formats/opjson.h"

/* Names of populations in a sentence; more are cut off. */
enum { NAMES_SIZE = 200 };

static void list_names(const json_t *populations, char ret[NAMES_SIZE]) {
    const char *name;
    json_t *v;
    size_t used = 0;

    *ret = '\0';
    json_object_foreach(json_iterable(populations), name, v) {
        size_t n = strlen(name);

        if (used + n + 3 > NAMES_SIZE)
            break;
        if (used) {
            memcpy(ret + used, ", ", 2);
            used += 2;
        }
        memcpy(ret + used, name, n + 1);
        used += n;
    }
}

/* Choose a population; the step to "populations" is pushed. */
static int choose(jin *j, const json_t *populations, atg_str wanted, const char **ret_name) {
    char names[NAMES_SIZE];
    const char *name;
    json_t *v;
    int rc = jin_is_object(j, populations);

    if (rc)
        return rc;
    list_names(populations, names);
    if (wanted.n == 0 && json_object_size(populations) != 1)
        return jin_fail(j, ATG_EINVAL, "Name one of the populations of this file: %s", names);
    json_object_foreach(json_iterable(populations), name, v) {
        if (wanted.n && !atg_str_eq_nocase(atg_str_of(name), wanted))
            continue;
        *ret_name = name;
        return ATG_OK;
    }
    return jin_fail(j, ATG_ENOTFOUND, "There is no population \"%.*s\" in this file; it has %s",
                    ATG_FMT(wanted), names);
}

static int read_allele(marker_set *set, jin *j, marker_draft *d, const json_t *label,
                       const json_t *freq) {
    char room[OPJSON_ALLELE_SIZE];
    atg_str s;
    atg_err e;
    double p = json_number_value(freq);
    int rc = opjson_allele(j, label, room, &s);

    if (rc)
        return rc;
    if (!json_is_number(freq) || !(p >= 0 && p <= 1))
        return jin_fail(j, ATG_EINVAL, "The frequency of %.*s is not a number from 0 to 1",
                        ATG_FMT(s));
    if (p == 0)
        return ATG_OK;
    rc = marker_draft_add(set, d, s, p, &e);
    return rc ? opjson_fail(j, &e) : ATG_OK;
}

static int read_marker(marker_set *set, jin *j, const char *name, const json_t *v) {
    static const char *const keys[] = {"alleles", "freqs", NULL};
    marker_draft *d = NULL;
    atg_err e;
    int rc = jin_is_object(j, v);

    if (!rc && freq_add_marker(set, atg_str_of(name), &d, &e))
        rc = opjson_fail(j, &e);
    if (rc)
        return rc;
    jin_known(j, v, keys);

    const json_t *labels = json_object_get(v, "alleles"), *freqs = json_object_get(v, "freqs");
    size_t n = json_array_size(labels);

    if (!json_is_array(labels) || !json_is_array(freqs) || n == 0 || n != json_array_size(freqs))
        return jin_fail(j, ATG_EPARSE,
                        "\"alleles\" and \"freqs\" must be two lists with one frequency per "
                        "allele");
    jin_key(j, "alleles");
    for (size_t i = 0; i < n && !rc; i++) {
        jin_index(j, i);
        rc = read_allele(set, j, d, json_array_get(labels, i), json_array_get(freqs, i));
        jin_up(j);
    }
    jin_up(j);
    return rc;
}

static int read_markers(marker_set *set, jin *j, const json_t *markers) {
    const char *name;
    json_t *v;
    int rc = jin_is_object(j, markers);

    if (rc)
        return rc;
    json_object_foreach(json_iterable(markers), name, v) {
        jin_key(j, name);
        rc = read_marker(set, j, name, v);
        jin_up(j);
        if (rc)
            return rc;
    }
    return set->n ? ATG_OK : jin_fail(j, ATG_EPARSE, "This population has no markers");
}

static int read_text(jin *j, const char *key, atg_str *ret) {
    json_auto_t *v = NULL;
    int rc = jin_enter_load(j, key, JIN_OPTIONAL, &v);

    if (rc || !v)
        return rc;
    rc = jin_is_text(j, v, ret);
    return rc ? rc : jin_keep(j, ret);
}

/* The member "persons": how many were typed, by population. */
static int read_persons(jin *j, const char *population, uint32_t *ret) {
    json_auto_t *v = NULL;
    int rc = jin_enter_load(j, "persons", JIN_OPTIONAL, &v);

    if (!rc && v)
        rc = jin_is_object(j, v);
    return rc || !v ? rc : jin_get_count(j, v, population, JIN_OPTIONAL, ret);
}

static int read_set(jin *j, const char *name, const json_t *v, struct atg_marker_set *ret) {
    struct atg_marker_set set = {.name = atg_str_of(name), .n = (uint32_t)json_array_size(v)};
    atg_str *markers = NULL;
    int rc = jin_is_array(j, v);

    if (!rc)
        rc = jin_keep(j, &set.name);
    if (rc)
        return rc;
    markers = ATG_GET(j->arena, atg_str, set.n ? set.n : 1);
    if (!markers)
        return jin_nomem(j);
    for (uint32_t i = 0; i < set.n && !rc; i++) {
        jin_index(j, i);
        rc = jin_is_id(j, json_array_get(v, i), ATG_LABEL_MAX, &markers[i]);
        markers[i] = atg_marker_usual_name(markers[i]);
        if (!rc)
            rc = jin_keep(j, &markers[i]);
        jin_up(j);
    }
    set.markers = markers;
    *ret = set;
    return rc;
}

/* The member "marker_sets": lists of marker names, by the name of the set. */
static int read_sets(jin *j, atg_frequencies *ret) {
    json_auto_t *sets = NULL;
    struct atg_marker_set *list = NULL;
    const char *name;
    json_t *v;
    int rc = jin_enter_load(j, "marker_sets", JIN_OPTIONAL, &sets);

    if (!rc && sets)
        rc = jin_is_object(j, sets);
    if (rc || !sets)
        return rc;
    list = ATG_GET(j->arena, struct atg_marker_set, json_object_size(sets) + 1);
    if (!list)
        return jin_nomem(j);
    ret->sets = list;
    json_object_foreach(sets, name, v) {
        jin_key(j, name);
        rc = read_set(j, name, v, &list[ret->n_sets]);
        jin_up(j);
        if (rc)
            return rc;
        ret->n_sets++;
    }
    jin_up(j);
    return ATG_OK;
}

static int read_schema(jin *j) {
    json_auto_t *v = NULL;
    atg_str s = ATG_STR("");
    int rc = jin_enter_load(j, "schema", JIN_REQUIRED, &v);

    if (!rc)
        rc = jin_is_text(j, v, &s);
    if (!rc && !atg_str_eq(s, ATG_STR("str-frequencies/1")))
        rc = jin_fail(j, ATG_EPARSE,
                      "\"%.*s\" is not a format of frequencies: write \"str-frequencies/1\"",
                      ATG_FMT(s));
    return rc;
}

int freq_read_json(marker_set *set, atg_str bytes, atg_str population, atg_frequencies *ret,
                   atg_notes *notes, atg_err *err) {
    static const char *const keys[] = {"schema",  "source",      "licence", "populations",
                                       "persons", "marker_sets", "note",    NULL};
    jin *j = ATG_GET(set->arena, jin, 1);
    json_auto_t *populations = NULL;
    const char *name = "";

    if (!j)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading the frequencies");

    int rc = jin_open(j, set->arena, bytes, notes, err);

    if (!rc)
        rc = read_schema(j);
    if (rc)
        return rc;
    jin_known_members(j, keys);
    rc = jin_enter_load(j, "populations", JIN_REQUIRED, &populations);
    if (!rc)
        rc = choose(j, populations, population, &name);
    ret->population = atg_str_of(name);
    if (!rc)
        rc = jin_keep(j, &ret->population);
    if (rc)
        return rc;
    jin_key(j, name);
    rc = read_markers(set, j, json_object_get(populations, name));
    if (!rc)
        rc = read_text(j, "source", &ret->source);
    if (!rc)
        rc = read_text(j, "licence", &ret->licence);
    if (!rc)
        rc = read_persons(j, name, &ret->n_population);
    return rc ? rc : read_sets(j, ret);
}
