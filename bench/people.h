/* SPDX-License-Identifier: Apache-2.0 */
/* A store full of missing persons, with names as in a population. */
#ifndef ATG_BENCH_PEOPLE_H
#define ATG_BENCH_PEOPLE_H

#include "made_cases.h"

#include "bench.h"

#include <string.h>

enum { PEOPLE_AT_ONCE = 5000 }; /* files of one transaction */

static const char *const people_families[] = {
    "Hansen",  "Olsen",    "Larsen",       "Berg",   "Haugen", "Kovalenko", "Шевченко", "Мельник",
    "Бойко",   "Ткаченко", "Ковальчук",    "王",     "李",     "張",        "刘",       "محمدي",
    "حسن",     "علي",      "Nguyễn",       "Trần",   "García", "Martínez",  "López",    "Łukasik",
    "Nowak",   "Kowalska", "Παπαδόπουλος", "Yılmaz", "Kaya",   "Demir",     "Öztürk",   "Müller",
    "Schmidt", "Rossi",    "Ferrari",      "Silva",  "Santos", "Oliveira",  "Ivanova",  "Petrova"};
static const char *const people_given[] = {
    "Nora",   "Emma",  "Olav", "Jakob",   "Олександр", "Мар'яна", "Олена",  "Богдан",
    "偉",     "芳",    "娜",   "秀英",    "محمد",      "فاطمة",   "أحمد",   "Linh",
    "María",  "José",  "Ana",  "Łukasz",  "Zofia",     "Ayşe",    "Mehmet", "Hans",
    "Giulia", "Marco", "João", "Beatriz", "Irina",     "Dmitri",  "Amina",  "Yusuf"};

#define PEOPLE_COUNT(list) (sizeof(list) / sizeof(*(list)))

/* Names as in a population: a few common ones and many rare ones, made rare by a number. */
static inline int people_name(atg_rng *rng, const char *const *list, size_t n, char *ret,
                              size_t size) {
    double u = atg_rng_unit(rng);
    size_t at = (size_t)((double)n * u * u);
    uint64_t rare = atg_rng_below(rng, 4);

    return rare ? snprintf(ret, size, "%s%c%c%c", list[at], 'a' + (char)atg_rng_below(rng, 26),
                           'a' + (char)atg_rng_below(rng, 26), 'a' + (char)atg_rng_below(rng, 26))
                : snprintf(ret, size, "%s", list[at]);
}

typedef struct row {
    char family[80], given[80], born[40], place[80], informant[160], contact[40];
    bool female;
} row;

static inline row make_row(atg_rng *rng) {
    row r;
    char last[80];

    (void)people_name(rng, people_families, PEOPLE_COUNT(people_families), r.family,
                      sizeof(r.family));
    (void)people_name(rng, people_given, PEOPLE_COUNT(people_given), r.given, sizeof(r.given));
    (void)people_name(rng, people_given, PEOPLE_COUNT(people_given), last, sizeof(last));
    (void)snprintf(r.born, sizeof(r.born), "%04d-%02d-%02d", 1930 + (int)atg_rng_below(rng, 90),
                   1 + (int)atg_rng_below(rng, 12), 1 + (int)atg_rng_below(rng, 28));
    (void)snprintf(r.place, sizeof(r.place), "Street %d, district %d",
                   (int)atg_rng_below(rng, 2000), (int)atg_rng_below(rng, 20));
    (void)snprintf(r.informant, sizeof(r.informant), "%s %s", last, r.family);
    (void)snprintf(r.contact, sizeof(r.contact), "+47 %08d", (int)atg_rng_below(rng, 100000000));
    r.female = atg_rng_below(rng, 2);
    return r;
}

static inline record *missing_of(atg_arena *arena, const uuid *operation, const row *from) {
    record *r = bench_had(record_new(arena, RECORD_MISSING));

    r->operation = *operation;
    made_set(arena, r, "family_name", from->family);
    made_set(arena, r, "given_name", from->given);
    made_set(arena, r, "sex", from->female ? "female" : "male");
    made_set(arena, r, "born", from->born);
    made_set(arena, r, "last_seen", "2026-11-01");
    made_set(arena, r, "last_place", from->place);
    made_set(arena, r, "informant_name", from->informant);
    made_set(arena, r, "informant_contact", from->contact);
    made_set(arena, r, "basis", "consent");
    return r;
}

typedef struct people_filling {
    made_cases *m;
    uuid *ids; /* of these files */
    uint32_t n;
    uint64_t seed;
} people_filling;

static inline int people_fill_some(db *d, void *user, atg_err *err) {
    people_filling *f = user;
    made_cases *m = f->m;
    atg_arena *arena = bench_had(atg_arena_new((size_t)1 << 30));
    atg_rng rng = atg_rng_seed(f->seed);
    cases_batch *b;
    int rc = cases_batch_new(m->c, d, &m->all, arena, &b, err);

    if (!rc)
        rc = cases_batch_expect(b, &m->operation, RECORD_MISSING, f->n, err);
    for (uint32_t i = 0; i < f->n && !rc; i++) {
        row made = make_row(&rng);
        change ch = {CHANGE_ADD, missing_of(arena, &m->operation, &made)};

        rc = cases_apply(b, &ch, err);
        f->ids[i] = ch.r->id;
    }
    if (!rc)
        rc = cases_batch_end(b, err);
    atg_arena_free(arena);
    return rc;
}

/* Enter `files` of them; `ids` has room for as many. */
static inline void people_fill(made_cases *m, const char *backend, uint32_t files, uuid *ids) {
    double start = bench_seconds();
    atg_err err = {0};

    for (uint32_t done = 0; done < files;) {
        people_filling f = {
            m, ids + done, files - done < PEOPLE_AT_ONCE ? files - done : PEOPLE_AT_ONCE, done + 1};

        bench_must(store_write(cases_store(m->c), people_fill_some, &f, &err), &err);
        done += f.n;
    }
    printf("# %s: %u files of missing persons entered in %.0f s\n", backend, files,
           bench_seconds() - start);
}

#endif
