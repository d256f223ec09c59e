/* SPDX-License-Identifier: Apache-2.0 */
/* Faces in a service that runs: reading a gallery, a search in one that is kept ready (rights,
 * bringing up to date, looking, the history and the candidates written), and what it costs to
 * follow one change.
 *
 *     bench_gallery [persons [searches [sqlite|postgres|both]]]
 *
 * Each missing person has an informant and one photograph with a template of 128 drawn numbers; the
 * pictures are not there, which only a reading of faces would miss. */
#include "databases.h"
#include "made_faces.h"
#include "people.h"

#include <math.h>

#include "app/cases_internal.h"
#include "app/face_marks.h"
#include "app/faces_internal.h"
#include "app/faces_standby.h"
#include "base/bytes.h"

enum { DIM = 128, AT_ONCE = 500 };

static uint32_t persons, searches;
static const face_version version = {{9}, 1};
static const actor reader = {.name = {"matcher", 7}};

typedef struct filling {
    made_cases *m;
    const uuid *files;
    uuid *photographs; /* may be NULL */
    uint32_t n;
    uint64_t seed;
    record_kind in;
} filling;

static int add(cases_batch *b, record *r, atg_err *err) {
    change ch = {CHANGE_ADD, r};

    return cases_apply(b, &ch, err);
}

static record *new_in(atg_arena *arena, const filling *f, record_kind kind, uint32_t i) {
    record *r = bench_had(record_new(arena, kind));

    r->operation = f->m->operation;
    r->file = f->files[i];
    return r;
}

static record *photograph(atg_arena *arena, const filling *f, uint32_t i, atg_rng *rng,
                          const record *informant) {
    record *r = new_in(arena, f, RECORD_PHOTOGRAPH, i);
    value *image = &r->fields[PHOTOGRAPH_IMAGE];

    image->known = true;
    for (size_t k = 0; k < RECORD_HASH; k++)
        image->hash[k] = (unsigned char)atg_rng_below(rng, 256);
    made_set(arena, r, "what", "face");
    if (!informant)
        return r;
    r->fields[PHOTOGRAPH_INFORMANT] = (value){.known = true, .ref = informant->id};
    made_set(arena, r, "confirmed", "yes");
    made_set(arena, r, "obtained", "2026-11-02");
    made_set(arena, r, "basis", "consent");
    return r;
}

static record *template_of(atg_arena *arena, const filling *f, uint32_t i, atg_rng *rng,
                           const uuid *of) {
    record *r = new_in(arena, f, RECORD_FACE_TEMPLATE, i);
    char model[2 * sizeof(version.model) + 1];
    float x[DIM];
    atg_err err = {0};

    for (int d = 0; d < DIM; d++)
        x[d] = (float)(0.65 + 2 * sqrt(3) * (atg_rng_unit(rng) - 0.5));
    bytes_hex(version.model, sizeof(version.model), model);
    r->fields[FACE_TEMPLATE_PHOTOGRAPH] = (value){.known = true, .ref = *of};
    made_set(arena, r, "model", model);
    made_set(arena, r, "pipeline", "1");
    made_set(arena, r, "outcome", "ready");
    r->fields[FACE_TEMPLATE_VECTOR].known = true;
    bench_must(face_vector_write(arena, x, DIM, &r->fields[FACE_TEMPLATE_VECTOR].text, &err), &err);
    return r;
}

static int fill_some(db *d, void *user, atg_err *err) {
    filling *f = user;
    atg_arena *arena = bench_had(atg_arena_new((size_t)1 << 30));
    atg_rng rng = atg_rng_seed(f->seed);
    cases_batch *people = NULL, *machine = NULL;
    int rc = cases_batch_new(f->m->c, d, &f->m->all, arena, &people, err);

    if (!rc)
        rc = cases_batch_new(f->m->c, d, &reader, arena, &machine, err);
    for (uint32_t i = 0; i < f->n && !rc; i++) {
        record *from = NULL, *photo;

        if (f->in == RECORD_MISSING) {
            from = new_in(arena, f, RECORD_INFORMANT, i);
            made_set(arena, from, "name", "Ida Berg");
            rc = add(people, from, err);
        }
        photo = photograph(arena, f, i, &rng, from);
        if (!rc)
            rc = add(people, photo, err);
        f->photographs[i] = photo->id;
    }
    if (!rc)
        rc = cases_batch_end(people, err);
    for (uint32_t i = 0; i < f->n && !rc; i++)
        rc = add(machine, template_of(arena, f, i, &rng, &f->photographs[i]), err);
    if (!rc)
        rc = cases_batch_end(machine, err);
    atg_arena_free(arena);
    return rc;
}

static void fill(made_cases *m, record_kind in, uint32_t n, const uuid *files, uuid *photographs) {
    atg_err err = {0};

    for (uint32_t done = 0; done < n;) {
        filling f = {.m = m,
                     .files = files + done,
                     .photographs = photographs + done,
                     .n = n - done < AT_ONCE ? n - done : AT_ONCE,
                     .seed = done + (in == RECORD_MISSING),
                     .in = in};

        bench_must(store_write(cases_store(m->c), fill_some, &f, &err), &err);
        done += f.n;
    }
}

typedef struct scene {
    const char *name;
    made_cases m;
    record *dead;
    uuid *photographs, probe;
    faces_standby *ready;
    actor examiner;
} scene;

static void make(scene *s) {
    uuid *files = bench_alloc(persons, sizeof(*files));
    made_faces recovery = {.m = s->m};
    double start = bench_seconds();

    people_fill(&s->m, s->name, persons, files);
    fill(&s->m, RECORD_MISSING, persons, files, s->photographs);
    s->dead = made_remains(&s->m, "B-17");
    made_add(&s->m, s->dead);
    recovery.remains = s->dead;
    made_recovery(&recovery, &s->m.by[ROLE_MORTUARY]);
    fill(&s->m, RECORD_REMAINS, 1, &s->dead->id, &s->probe);
    printf("# %s: %u persons with a photograph and a template each made in %.0f s\n", s->name,
           persons, bench_seconds() - start);
    free(files);
}

static double one_search(scene *s) {
    atg_arena *arena = bench_had(atg_arena_new((size_t)1 << 30));
    faces_asking asking = {.wish = {.photograph = s->probe}};
    double start = bench_seconds();
    faces_found found;
    atg_err err = {0};

    bench_must(faces_standby_search(s->ready, &s->examiner, arena, &asking, NULL, &found, &err),
               &err);
    start = bench_seconds() - start;
    if (found.candidates != FACE_BEST_DEFAULT || found.among != persons)
        exit(1); /* NOLINT(concurrency-mt-unsafe) */
    atg_arena_free(arena);
    return start;
}

static int by_value(const void *x, const void *y) {
    const double *a = x, *b = y;

    return *a < *b ? -1 : *a > *b;
}

static void tell(const char *what, const char *name, double *times, uint32_t n) {
    qsort(times, n, sizeof(*times), by_value);
    printf("face.%s_median_%s %.1f ms\nface.%s_worst_%s %.1f ms\n", what, name, 1e3 * times[n / 2],
           what, name, 1e3 * times[n - 1]);
}

static record *read_photograph(scene *s, const uuid *id) {
    atg_err err = {0};
    seen one;

    bench_must(cases_get(s->m.c, &s->m.all, s->m.arena, RECORD_PHOTOGRAPH, id, &one, &err), &err);
    return one.r;
}

/* Take a photograph's confirmation back, and give it again. */
static void measure_changes(scene *s, double *times) {
    faces_wanted wanted = {s->m.operation, version, DIM, false};
    faces_gallery *g;
    atg_err err = {0};

    bench_must(faces_gallery_open(s->m.c, &wanted, NULL, &g, &err), &err);
    for (uint32_t i = 0; i < searches; i++) {
        record *r = read_photograph(s, &s->photographs[i / 2 * 97 % persons]);
        double start;

        made_set(s->m.arena, r, "confirmed", i % 2 ? "yes" : "no");
        bench_must(made_change(&s->m, &s->m.all, CHANGE_EDIT, r, &err), &err);
        start = bench_seconds();
        bench_must(faces_gallery_update(g, s->m.c, NULL, &err), &err);
        times[i] = bench_seconds() - start;
    }
    faces_gallery_close(g);
    tell("follow_one_change", s->name, times, searches);
}

static void measure(const database *where, bool made) {
    scene s = {.name = where->postgres ? "postgres" : "sqlite", .m = made_cases_open(where)};
    double *times = bench_alloc(searches, sizeof(*times));
    faces_standby_state state;
    atg_err err = {0};

    (void)made;
    s.photographs = bench_alloc(persons, sizeof(*s.photographs));
    s.examiner = s.m.by[ROLE_EXAMINER];
    s.examiner.reason = ATG_STR("a benchmark");
    make(&s);
    bench_must(faces_standby_open(s.m.c, &(faces_standby_options){0}, &s.ready, &err), &err);
    printf("face.first_search_seconds_%s %.1f s\n", s.name, one_search(&s));
    faces_standby_tell(s.ready, &state);
    printf("# %llu templates of %d numbers, %.0f MiB\n", (unsigned long long)state.templates, DIM,
           (double)state.memory / (1 << 20));
    for (uint32_t i = 0; i < searches; i++)
        times[i] = one_search(&s);
    tell("warm_search", s.name, times, searches);
    measure_changes(&s, times);
    faces_standby_close(s.ready);
    free(s.photographs);
    free(times);
    made_cases_close(&s.m);
}

int main(int argc, char **argv) {
    persons = (uint32_t)bench_argument(argc, argv, 1, 20000);
    searches = (uint32_t)bench_argument(argc, argv, 2, 50);
    bench_on_databases(argc, argv, 3, measure);
    return 0;
}
