/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>
#include <string.h>

#include "face/codes.h"
#include "face/gallery_parts.h"

static const face_version version = {{1, 2, 3}, 7};

static uuid id_of(uint64_t n) {
    uuid id = {{0}};

    for (int i = 0; i < 8; i++)
        id.bytes[15 - i] = (unsigned char)(n >> (8 * i));
    id.bytes[6] = 0x70;
    return id;
}

static double gauss(atg_rng *rng) {
    double r = sqrt(-2 * log(1 - atg_rng_unit(rng)));

    return r * cos(2 * M_PI * atg_rng_unit(rng));
}

/* Around a common direction, as faces are, some all but equal. */
static void draw(atg_rng *rng, uint32_t dim, double common, float *ret) {
    for (uint32_t i = 0; i < dim; i++)
        ret[i] = (float)(common + gauss(rng));
}

/* The same gallery kept plainly. */
typedef struct plain {
    uint32_t n;
    struct {
        uuid id;
        face_person person;
        float unit[FACE_DIM_MAX];
    } * photos;
} plain;

typedef struct scene {
    uint32_t dim;
    face_gallery *g;
    plain p;
} scene;

static scene scene_new(uint32_t dim, uint32_t room) {
    scene s = {.dim = dim};

    assert_int_equal(face_gallery_new(&version, dim, &s.g, NULL), ATG_OK);
    s.p.photos = mem_zero(room, sizeof(*s.p.photos));
    assert_non_null(s.p.photos);
    return s;
}

static void scene_free(scene *s) {
    face_gallery_free(s->g);
    mem_free(s->p.photos);
}

static uint32_t find(const scene *s, const uuid *photo) {
    uint32_t i = 0;

    while (i < s->p.n && uuid_cmp(&s->p.photos[i].id, photo) != 0)
        i++;
    return i;
}

static void put(scene *s, const face_person *person, uuid photo, const float *embedding) {
    uint32_t at = find(s, &photo);

    assert_int_equal(face_gallery_put(s->g, &version, person, &photo, embedding, NULL), ATG_OK);
    if (at == s->p.n)
        s->p.n++;
    s->p.photos[at].id = photo;
    s->p.photos[at].person = *person;
    assert_int_equal(face_normalise(s->dim, embedding, s->p.photos[at].unit, NULL), ATG_OK);
    for (uint32_t i = 0; i < s->p.n; i++)
        if (uuid_cmp(&s->p.photos[i].person.id, &person->id) == 0)
            s->p.photos[i].person = *person;
}

static void drop(scene *s, uuid photo) {
    uint32_t at = find(s, &photo);

    assert_int_equal(face_gallery_remove(s->g, &photo, NULL), at < s->p.n ? ATG_OK : ATG_ENOTFOUND);
    if (at < s->p.n)
        s->p.photos[at] = s->p.photos[--s->p.n];
}

static void drop_person(scene *s, uuid person) {
    uint32_t before = s->p.n;

    for (uint32_t i = 0; i < s->p.n;)
        if (uuid_cmp(&s->p.photos[i].person.id, &person) == 0)
            s->p.photos[i] = s->p.photos[--s->p.n];
        else
            i++;
    assert_int_equal(face_gallery_remove_person(s->g, &person, NULL),
                     s->p.n < before ? ATG_OK : ATG_ENOTFOUND);
}

static bool better(const face_hit *a, const face_hit *b) {
    int order = uuid_cmp(&a->person, &b->person);

    if (a->score != b->score)
        return a->score > b->score;
    return order < 0 || (order == 0 && uuid_cmp(&a->photo, &b->photo) < 0);
}

/* Every person's best photograph by scoring all, sorted. */
static uint32_t score_all(const scene *s, const face_query *query, face_hit *hits) {
    float unit[FACE_DIM_MAX];
    uint32_t n = 0;

    assert_int_equal(face_normalise(s->dim, query->embedding, unit, NULL), ATG_OK);
    for (uint32_t i = 0; i < s->p.n; i++) {
        face_hit hit = {.person = s->p.photos[i].person.id, .photo = s->p.photos[i].id};
        uint32_t at = 0;

        if (!(s->p.photos[i].person.scopes & query->scopes))
            continue;
        hit.score = face_score(s->dim, unit, s->p.photos[i].unit);
        while (at < n && uuid_cmp(&hits[at].person, &hit.person) != 0)
            at++;
        if (at == n)
            hits[n++] = hit;
        else if (better(&hit, &hits[at]))
            hits[at] = hit;
    }
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = i; k && better(&hits[k], &hits[k - 1]); k--) {
            face_hit t = hits[k];

            hits[k] = hits[k - 1];
            hits[k - 1] = t;
        }
    return n;
}

static void same_hit(const face_hit *got, const face_hit *want, uint32_t rank) {
    if (uuid_cmp(&got->person, &want->person) != 0 || got->score != want->score ||
        uuid_cmp(&got->photo, &want->photo) != 0 || got->rank != rank)
        fail_msg("rank %u: %.9g of %02x%02x is not %.9g of %02x%02x", rank, (double)got->score,
                 got->person.bytes[14], got->person.bytes[15], (double)want->score,
                 want->person.bytes[14], want->person.bytes[15]);
}

static void search_equals_scoring_all(const scene *s, const face_query *queries, uint32_t n,
                                      face_search_options options) {
    face_result *got = mem_zero(n, sizeof(*got));
    face_hit *want = mem_zero(s->p.n + 1, sizeof(*want));
    uint32_t best = options.best ? options.best : FACE_BEST_DEFAULT;

    assert_int_equal(face_gallery_photos(s->g), s->p.n);
    assert_int_equal(face_gallery_search(s->g, &version, n, queries, &options, got, NULL), ATG_OK);
    for (uint32_t q = 0; q < n; q++) {
        uint32_t n_want = score_all(s, &queries[q], want);

        assert_int_equal(got[q].n, n_want < best ? n_want : best);
        for (uint32_t i = 0; i < got[q].n; i++) {
            const face_hit *hit = &got[q].hits[i];

            same_hit(hit, &want[hit->rank - 1], hit->rank);
        }
    }
    mem_free(got);
    mem_free(want);
}

static face_person somebody(uint64_t n, uint64_t scopes) {
    return (face_person){.id = id_of(n), .scopes = scopes, .age_low = -1, .age_high = -1};
}

static void a_search_finds_what_scoring_all_finds(void **state) {
    static const uint32_t dims[] = {16, 48, 128, 512, 1024};
    atg_rng rng = atg_rng_seed(21);

    (void)state;
    for (int round = 0; round < 60; round++) {
        uint32_t dim = dims[round % 5], n = (uint32_t)atg_rng_below(&rng, round % 7 ? 300 : 5000);
        double common = (double)atg_rng_below(&rng, 4) / 2;
        scene s = scene_new(dim, n + 1);
        float x[FACE_DIM_MAX], q[5][FACE_DIM_MAX];
        face_query queries[5];

        for (uint32_t i = 0; i < n; i++) {
            face_person who = somebody(atg_rng_below(&rng, n) + 1, 1ULL << atg_rng_below(&rng, 3));

            if (atg_rng_below(&rng, 5))
                draw(&rng, dim, common, x); /* else the one before once more: a tie */
            put(&s, &who, id_of(100000 + i), x);
        }
        for (int k = 0; k < 5; k++) {
            draw(&rng, dim, common, q[k]);
            queries[k] = (face_query){
                .embedding = q[k], .scopes = atg_rng_below(&rng, 8), .age_low = -1, .age_high = -1};
        }
        for (uint32_t k = 0; k < 8; k++)
            search_equals_scoring_all(
                &s, queries, k % 5 + 1,
                (face_search_options){.best = 2 + (uint32_t)atg_rng_below(&rng, 49),
                                      .threads = k % 3 + 1,
                                      .portable = k % 2});
        scene_free(&s);
    }
}

static void a_gallery_that_changes_stays_exact(void **state) {
    enum { PHOTOS = 400, DIM = 64 };
    atg_rng rng = atg_rng_seed(22);
    scene s = scene_new(DIM, PHOTOS);
    float x[DIM], q[DIM];

    (void)state;
    for (int step = 0; step < 6000; step++) {
        face_person who = somebody(1 + atg_rng_below(&rng, 90), 1ULL << atg_rng_below(&rng, 2));
        uint32_t kind = (uint32_t)atg_rng_below(&rng, 20);
        face_query query = {.embedding = q, .scopes = 1 + atg_rng_below(&rng, 3)};

        draw(&rng, DIM, 0.5, x);
        draw(&rng, DIM, 0.5, q);
        who.family = id_of(atg_rng_below(&rng, 30) * 1000);
        if (kind < 10)
            put(&s, &who, id_of(1000 + atg_rng_below(&rng, PHOTOS)), x);
        else if (kind < 15)
            drop(&s, id_of(1000 + atg_rng_below(&rng, PHOTOS)));
        else if (kind < 17)
            drop_person(&s, who.id);
        else if (face_gallery_set_person(s.g, &who, NULL) == ATG_OK)
            for (uint32_t i = 0; i < s.p.n; i++)
                if (uuid_cmp(&s.p.photos[i].person.id, &who.id) == 0)
                    s.p.photos[i].person = who;
        if (step % 10 == 0)
            search_equals_scoring_all(&s, &query, 1, (face_search_options){.best = 5});
    }
    while (s.p.n)
        drop(&s, s.p.photos[0].id);
    assert_int_equal(face_gallery_persons(s.g), 0);
    assert_int_equal(face_gallery_photos(s.g), 0);
    scene_free(&s);
}

/* Vectors that int8 treats worst: one large number, all equal, half steps. */
static void draw_awkward(atg_rng *rng, uint32_t dim, float *ret) {
    uint32_t kind = (uint32_t)atg_rng_below(rng, 5);

    for (uint32_t i = 0; i < dim; i++) {
        double half =
            ((double)atg_rng_below(rng, 60) + 0.5) / 127 * (atg_rng_below(rng, 2) ? 1 : -1);

        ret[i] = (float)(kind == 0   ? gauss(rng)
                         : kind == 1 ? (i == 3) + 1e-3 * gauss(rng)
                         : kind == 2 ? 1
                         : kind == 3 ? half
                                     : pow(gauss(rng), 5));
    }
    if (kind == 3)
        ret[0] = 1;
}

typedef struct encoded {
    uint32_t dim;
    uint8_t *highs, *rows; /* a row a template */
    face_tail *tail;
    float unit[FACE_GROUP][FACE_DIM_MAX], query[FACE_DIM_MAX];
    int8_t codes[3 * FACE_DIM_MAX];
    face_probe probe;
} encoded;

/* A query, and a group of templates some of which are the query's own. */
static void encode(encoded *e, uint32_t dim, atg_rng *rng) {
    float x[FACE_DIM_MAX];

    e->dim = dim;
    e->highs = mem_aligned(face_half_size(dim) + sizeof(face_tail));
    e->rows = mem_aligned(FACE_GROUP * face_row_size(dim));
    memset(e->rows, 0, FACE_GROUP * face_row_size(dim));
    e->tail = face_tail_of(e->highs, dim);
    e->tail->coarse = e->tail->fine = 0;
    draw_awkward(rng, dim, x);
    assert_int_equal(face_normalise(dim, x, e->query, NULL), ATG_OK);
    face_encode_probe(dim, e->query, e->codes, &e->probe);
    for (uint32_t t = 0; t < FACE_GROUP; t++) {
        face_encoded got;

        draw_awkward(rng, dim, x);
        if (t % 3 == 0)
            memcpy(x, e->query, sizeof(x));
        assert_int_equal(face_normalise(dim, x, e->unit[t], NULL), ATG_OK);
        got = face_encode(dim, e->unit[t], e->highs, t, e->rows + t * face_row_size(dim));
        e->tail->scale[t] = got.scale;
        e->tail->coarse = fmaxf(e->tail->coarse, got.coarse);
        e->tail->fine = fmaxf(e->tail->fine, got.fine);
    }
}

/* What the H let pass at a cut is whatever scores it. */
static void cuts_are_kept(encoded *e, float cut, face_kernels kernels) {
    int32_t sums[5][FACE_GROUP];
    uint32_t masks[5], once;
    face_probe probes[5];

    for (int i = 0; i < 5; i++) {
        probes[i] = e->probe;
        probes[i].cut = cut;
    }
    kernels.high(e->highs, e->dim, 5, probes, masks, sums);
    kernels.high(e->highs, e->dim, 1, probes, &once, sums);
    for (int i = 0; i < 5; i++)
        assert_int_equal(masks[i], once);
    for (uint32_t t = 0; t < FACE_GROUP; t++)
        if (face_score(e->dim, e->query, e->unit[t]) >= cut)
            assert_true(once >> t & 1);
}

/* The kernels that a processor with AVX2 and nothing more would take. */
static face_kernels middle(void) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        return (face_kernels){face_high_avx2, face_low_avx2};
#endif
    return face_kernels_choose(true);
}

static void no_score_leaves_its_bound(void **state) {
    static const uint32_t dims[] = {16, 48, 128, 512, 1024};
    face_kernels wide = face_kernels_choose(false), slow = face_kernels_choose(true);
    atg_rng rng = atg_rng_seed(23);
    double largest = 0;

    (void)state;
    for (int round = 0; round < 500; round++) {
        static encoded e;
        int32_t sums[2][FACE_GROUP];
        uint32_t masks[2];

        encode(&e, dims[round % 5], &rng);
        e.probe.cut = -INFINITY;
        wide.high(e.highs, e.dim, 1, &e.probe, masks, sums);
        slow.high(e.highs, e.dim, 1, &e.probe, masks + 1, sums + 1);
        assert_true(masks[0] == UINT32_MAX && masks[1] == UINT32_MAX);
        assert_memory_equal(sums[0], sums[1], sizeof(sums[0]));
        for (uint32_t t = 0; t < FACE_GROUP; t++) {
            const uint8_t *row = e.rows + t * face_row_size(e.dim);
            float score = face_score(e.dim, e.query, e.unit[t]);
            int32_t low = wide.low(row, e.dim, &e.probe);
            float near = face_approximate(&e.probe, e.tail->scale[t], sums[0][t], low);
            double off = fabs((double)score - (double)near);
            double bound = (double)face_bound(&e.probe, e.tail->fine);

            assert_int_equal(low, slow.low(row, e.dim, &e.probe));
            assert_true(off <= bound);
            largest = fmax(largest, off / bound);
            cuts_are_kept(&e, score, wide);
            cuts_are_kept(&e, score, slow);
            cuts_are_kept(&e, score, middle());
        }
        mem_free(e.highs);
        mem_free(e.rows);
    }
    assert_true(largest > 0.05); /* the bound is not idle either */
}

static void the_score_is_the_dot_product(void **state) {
    atg_rng rng = atg_rng_seed(24);
    float a[FACE_DIM_MAX], b[FACE_DIM_MAX];

    (void)state;
    for (int round = 0; round < 100; round++) {
        uint32_t dim = FACE_DIM_STEP * (1 + (uint32_t)atg_rng_below(&rng, 64));
        double sum = 0;

        draw(&rng, dim, 0.3, a);
        draw(&rng, dim, 0.3, b);
        assert_int_equal(face_normalise(dim, a, a, NULL), ATG_OK);
        assert_int_equal(face_normalise(dim, b, b, NULL), ATG_OK);
        for (uint32_t i = 0; i < dim; i++)
            sum += (double)a[i] * (double)b[i];
        assert_true(fabs((double)face_score(dim, a, b) - sum) < 4.2e-6);
        assert_true(fabs((double)face_score(dim, a, a) - 1) < 1e-5);
        assert_true(face_score(dim, a, b) == face_score(dim, b, a));
    }
}

static void templates_of_another_model_are_never_compared(void **state) {
    face_version other = version, later = version;
    scene s = scene_new(16, 4);
    float x[16] = {1};
    face_person who = somebody(1, 1);
    face_query query = {.embedding = x, .scopes = 1};
    face_search_options options = {0};
    face_result got = {.n = 77};
    uuid photo = id_of(9);
    atg_err err;

    (void)state;
    other.model[31] = 1;
    later.pipeline = 8;
    put(&s, &who, id_of(5), x);
    assert_int_equal(face_gallery_put(s.g, &other, &who, &photo, x, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "another model"));
    assert_int_equal(face_gallery_put(s.g, &later, &who, &photo, x, &err), ATG_EINVAL);
    assert_int_equal(face_gallery_photos(s.g), 1);
    assert_int_equal(face_gallery_search(s.g, &other, 1, &query, &options, &got, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "another model"));
    assert_int_equal(face_gallery_search(s.g, &later, 1, &query, &options, &got, &err), ATG_EINVAL);
    assert_int_equal(got.n, 77);
    scene_free(&s);
}

static void sex_and_age_order_and_hide_nobody(void **state) {
    static const struct {
        face_sex sex;
        int16_t low, high;
        uint32_t flags;
    } people[] = {
        {FACE_SEX_FEMALE, 30, 40, FACE_SEX_DIFFERS},
        {FACE_SEX_MALE, 60, 70, FACE_AGE_DIFFERS},
        {FACE_SEX_UNKNOWN, 30, 30, 0},
        {FACE_SEX_MALE, -1, -1, 0},
        {FACE_SEX_MALE, 25, 30, 0},
        {FACE_SEX_MALE, 41, -1, FACE_AGE_DIFFERS},
        {FACE_SEX_MALE, -1, 17, FACE_AGE_DIFFERS | FACE_WARN_CHILD},
        {FACE_SEX_UNKNOWN, -1, -1, 0},
    };
    enum { N = sizeof(people) / sizeof(*people) };
    static const uint32_t want[N] = {3, 4, 5, 8, 1, 2, 6, 7};
    scene s = scene_new(16, N);
    float x[16] = {1}, q[16] = {1};
    face_query query = {
        .embedding = q, .scopes = 1, .sex = FACE_SEX_MALE, .age_low = 28, .age_high = 40};
    face_search_options options = {0};
    face_result got;

    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        face_person who = somebody(i + 1, 1);

        who.sex = people[i].sex;
        who.age_low = people[i].low;
        who.age_high = people[i].high;
        x[1] = (float)i / 10; /* each a little less alike than the one before */
        put(&s, &who, id_of(100 + i), x);
    }
    assert_int_equal(face_gallery_search(s.g, &version, 1, &query, &options, &got, NULL), ATG_OK);
    assert_int_equal(got.n, N);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t person = got.hits[i].person.bytes[15];

        assert_int_equal(person, want[i]);
        assert_int_equal(got.hits[i].rank, person);
        assert_int_equal(got.hits[i].flags, people[person - 1].flags);
    }
    /* nothing estimated: by score alone */
    query = (face_query){.embedding = q, .scopes = 1, .age_low = -1, .age_high = -1};
    assert_int_equal(face_gallery_search(s.g, &version, 1, &query, &options, &got, NULL), ATG_OK);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(got.hits[i].rank, i + 1);
    scene_free(&s);
}

static void relatives_and_children_carry_a_warning(void **state) {
    scene s = scene_new(16, 4);
    float x[16] = {1};
    face_person sister = somebody(1, 1), brother = somebody(2, 1), alone = somebody(3, 1);
    face_query query = {.embedding = x, .scopes = 1, .age_low = -1, .age_high = -1};
    face_search_options options = {0};
    face_result got;

    (void)state;
    sister.family = brother.family = id_of(500);
    alone.family = id_of(600);
    alone.age_low = 17;
    put(&s, &sister, id_of(10), x);
    put(&s, &brother, id_of(11), x);
    put(&s, &alone, id_of(12), x);
    assert_int_equal(face_gallery_search(s.g, &version, 1, &query, &options, &got, NULL), ATG_OK);
    assert_int_equal(got.hits[0].flags, FACE_WARN_RELATIVES);
    assert_int_equal(got.hits[1].flags, FACE_WARN_RELATIVES);
    assert_int_equal(got.hits[2].flags, FACE_WARN_CHILD);
    /* found alive: at once out of the gallery, and no longer a reason for a warning */
    drop_person(&s, brother.id);
    assert_int_equal(face_gallery_search(s.g, &version, 1, &query, &options, &got, NULL), ATG_OK);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.hits[0].flags, 0);
    /* of another scope: not seen, and tells nothing */
    brother.scopes = 2;
    put(&s, &brother, id_of(11), x);
    assert_int_equal(face_gallery_search(s.g, &version, 1, &query, &options, &got, NULL), ATG_OK);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.hits[0].flags, 0);
    scene_free(&s);
    for (uint32_t flag = 1; flag <= FACE_WARN_CHILD; flag *= 2)
        assert_true(strlen(face_flag_sentence(flag)) > 40);
    assert_string_equal(face_flag_sentence(64), "");
}

static void what_is_no_template_is_refused(void **state) {
    scene s = scene_new(16, 1);
    face_gallery *none = NULL;
    float zero[16] = {0}, nan[16] = {1, NAN}, large[16] = {INFINITY}, good[16] = {1};
    face_person who = somebody(1, 1);
    uuid photo = id_of(2);
    face_query query = {.embedding = zero, .scopes = 1};
    face_search_options options = {0};
    face_result got;

    (void)state;
    assert_int_equal(face_gallery_new(&version, 0, &none, NULL), ATG_EINVAL);
    assert_int_equal(face_gallery_new(&version, 100, &none, NULL), ATG_EINVAL);
    assert_int_equal(face_gallery_new(&version, 1040, &none, NULL), ATG_EINVAL);
    assert_null(none);
    assert_int_equal(face_gallery_put(s.g, &version, &who, &photo, zero, NULL), ATG_EINVAL);
    assert_int_equal(face_gallery_put(s.g, &version, &who, &photo, nan, NULL), ATG_EINVAL);
    assert_int_equal(face_gallery_put(s.g, &version, &who, &photo, large, NULL), ATG_EINVAL);
    assert_int_equal(face_gallery_persons(s.g), 0);
    assert_int_equal(face_gallery_search(s.g, &version, 1, &query, &options, &got, NULL),
                     ATG_EINVAL);
    query.embedding = good;
    assert_int_equal(face_gallery_search(s.g, &version, 1, &query, &options, &got, NULL), ATG_OK);
    assert_int_equal(got.n, 0);
    options.best = 1;
    assert_int_equal(face_gallery_search(s.g, &version, 1, &query, &options, &got, NULL),
                     ATG_EINVAL);
    options.best = 51;
    assert_int_equal(face_gallery_search(s.g, &version, 1, &query, &options, &got, NULL),
                     ATG_EINVAL);
    options.best = 0;
    assert_int_equal(
        face_gallery_search(s.g, &version, FACE_QUERIES_MAX + 1, &query, &options, &got, NULL),
        ATG_ELIMIT);
    assert_int_equal(face_gallery_set_person(s.g, &who, NULL), ATG_ENOTFOUND);
    assert_true(face_gallery_memory(s.g) < 4096);
    scene_free(&s);
}

static void memory_that_runs_short_changes_nothing(void **state) {
    scene s = scene_new(16, 200);
    atg_rng rng = atg_rng_seed(25);
    float x[16];
    long total = 0;

    (void)state;
    for (uint64_t i = 0; i < 150; i++) {
        face_person who = somebody(i + 1, 1);
        uuid photo = id_of(1000 + i);
        face_query query = {.embedding = x, .scopes = 1, .age_low = -1, .age_high = -1};
        face_search_options options = {.best = 50, .threads = 1};
        static face_result got;
        long fails = -1;
        int rc;

        who.family = id_of(5000 + i / 2);
        draw(&rng, 16, 0, x);
        do {
            mem_fail_after(++fails);
            rc = face_gallery_put(s.g, &version, &who, &photo, x, NULL);
            mem_fail_after(-1);
            assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
            assert_int_equal(face_gallery_photos(s.g), i + (rc == ATG_OK));
            assert_int_equal(face_gallery_persons(s.g), i + (rc == ATG_OK));
        } while (rc);
        total += fails;
        put(&s, &who, photo, x);
        do {
            mem_fail_after(fails++);
            rc = face_gallery_search(s.g, &version, 1, &query, &options, &got, NULL);
            mem_fail_after(-1);
            assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        } while (rc);
        search_equals_scoring_all(&s, &query, 1, options);
    }
    assert_true(total >= 3);
    scene_free(&s);
}

/* ---- what is taken out ---- */

static bool all_equal(const void *p, size_t n, const void *to) {
    return memcmp(p, to, n) == 0;
}

static void what_is_taken_out_is_wiped(void **state) {
    enum { DIM = 32, PHOTOS = 5 };
    static const float nothing[DIM];
    face_gallery *g = NULL;
    float x[DIM], last[DIM];
    atg_rng rng = atg_rng_seed(9);
    atg_err err = {0};

    (void)state;
    assert_int_equal(face_gallery_new(&version, DIM, &g, &err), ATG_OK);
    for (uint64_t i = 0; i < PHOTOS; i++) {
        face_person person = {.id = id_of(i), .scopes = 1, .age_low = -1, .age_high = -1};
        uuid photo = id_of(100 + i);

        draw(&rng, DIM, 0.5, x);
        assert_int_equal(face_gallery_put(g, &version, &person, &photo, x, &err), ATG_OK);
    }
    memcpy(last, face_master_of(g, PHOTOS - 1), sizeof(last));
    /* the last one moves to the place of the one that goes; its own place is empty then */
    assert_int_equal(face_gallery_remove(g, &(uuid){0}, NULL), ATG_ENOTFOUND);
    for (uint32_t left = PHOTOS; left; left--) {
        uuid photo = face_photo_of(g, 0)->id;

        assert_int_equal(face_gallery_remove(g, &photo, &err), ATG_OK);
        assert_true(all_equal(face_master_of(g, left - 1), sizeof(nothing), nothing));
        if (left == PHOTOS)
            assert_true(all_equal(face_master_of(g, 0), sizeof(last), last));
    }
    face_gallery_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_score_is_the_dot_product),
        cmocka_unit_test(no_score_leaves_its_bound),
        cmocka_unit_test(a_search_finds_what_scoring_all_finds),
        cmocka_unit_test(a_gallery_that_changes_stays_exact),
        cmocka_unit_test(templates_of_another_model_are_never_compared),
        cmocka_unit_test(sex_and_age_order_and_hide_nobody),
        cmocka_unit_test(relatives_and_children_carry_a_warning),
        cmocka_unit_test(what_is_no_template_is_refused),
        cmocka_unit_test(what_is_taken_out_is_wiped),
        cmocka_unit_test(memory_that_runs_short_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
