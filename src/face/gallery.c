/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "face/gallery_parts.h"

enum { PHOTOS_MAX = 1 << 30, LANES = 16 };

bool face_version_same(const face_version *a, const face_version *b) {
    return memcmp(a->model, b->model, sizeof(a->model)) == 0 && a->pipeline == b->pipeline;
}

const uuid *face_key_of_photo(const void *gallery, uint32_t slot) {
    return &face_photo_of(gallery, slot)->id;
}

float face_score(uint32_t dim, const float *a, const float *b) {
    float lanes[LANES] = {0};

    for (uint32_t i = 0; i < dim; i += LANES)
        for (uint32_t k = 0; k < LANES; k++)
            lanes[k] += a[i + k] * b[i + k];
    for (uint32_t half = LANES / 2; half; half /= 2)
        for (uint32_t k = 0; k < half; k++)
            lanes[k] += lanes[k + half];
    return lanes[0];
}

int face_normalise(uint32_t dim, const float *embedding, float *ret, atg_err *err) {
    double square = 0;

    for (uint32_t i = 0; i < dim; i++)
        square += (double)embedding[i] * (double)embedding[i];
    if (!isfinite(square) || square < 1e-12)
        return atg_fail(err, ATG_EINVAL,
                        "The network's answer for a face is not a direction: it is %s",
                        square < 1e-12 ? "all but 0" : "not finite");
    for (uint32_t i = 0; i < dim; i++)
        ret[i] = (float)((double)embedding[i] / sqrt(square));
    return ATG_OK;
}

int face_gallery_new(const face_version *version, uint32_t dim, face_gallery **ret, atg_err *err) {
    face_gallery *g;

    if (dim == 0 || dim % FACE_DIM_STEP || dim > FACE_DIM_MAX)
        return atg_fail(err, ATG_EINVAL,
                        "Templates of %u numbers cannot be kept: a multiple of %d up to %d can",
                        dim, FACE_DIM_STEP, FACE_DIM_MAX);
    g = mem_zero(1, sizeof(*g));
    if (!g)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the gallery of faces");
    g->version = *version;
    g->dim = dim;
    g->free_people = NOBODY;
    g->by_photo = (face_index){.key = face_key_of_photo, .user = g};
    g->by_person = (face_index){.key = face_key_of_person, .user = g};
    g->by_family = (face_index){.key = face_key_of_family, .user = g};
    *ret = g;
    return ATG_OK;
}

static size_t highs_size(uint32_t dim) {
    return CHUNK_GROUPS * face_high_size(dim);
}

static size_t rows_size(uint32_t dim) {
    return CHUNK * face_row_size(dim);
}

static size_t masters_size(uint32_t dim) {
    return (size_t)CHUNK * dim * sizeof(float);
}

static void wipe(void *p, size_t n) {
    if (p)
        bytes_wipe(p, n);
}

static void free_chunk(face_chunk *chunk, uint32_t dim) {
    wipe(chunk->highs, highs_size(dim));
    wipe(chunk->rows, rows_size(dim));
    wipe(chunk->masters, masters_size(dim));
    mem_free(chunk->highs);
    mem_free(chunk->rows);
    mem_free(chunk->masters);
    mem_free(chunk->photos);
}

void face_gallery_free(face_gallery *g) {
    if (!g)
        return;
    for (uint32_t i = 0; i < g->n_chunks; i++)
        free_chunk(&g->chunks[i], g->dim);
    mem_free(g->chunks);
    mem_free(g->people);
    face_index_clear(&g->by_photo);
    face_index_clear(&g->by_person);
    face_index_clear(&g->by_family);
    mem_free(g);
}

static int reserve_slot(face_gallery *g, atg_err *err) {
    size_t highs = highs_size(g->dim), rows = rows_size(g->dim);
    face_chunk chunk, *chunks;

    if (g->n >= PHOTOS_MAX)
        return atg_fail(err, ATG_ELIMIT, "A gallery holds at most %d photographs", PHOTOS_MAX);
    if (g->n < g->n_chunks * CHUNK)
        return ATG_OK;
    chunks = mem_grow(g->chunks, (g->n_chunks + 1) * sizeof(*chunks));
    if (chunks)
        g->chunks = chunks;
    chunk = (face_chunk){mem_aligned(highs), mem_aligned(rows), mem_aligned(masters_size(g->dim)),
                         mem_zero(CHUNK, sizeof(*chunk.photos))};
    if (!chunks || !chunk.highs || !chunk.rows || !chunk.masters || !chunk.photos) {
        free_chunk(&chunk, g->dim);
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the gallery of faces");
    }
    memset(chunk.highs, 0, highs);
    memset(chunk.rows, 0, rows);
    g->chunks[g->n_chunks++] = chunk;
    return ATG_OK;
}

/* What a group's tail says of all its templates. */
static void refresh_group(face_gallery *g, uint32_t slot) {
    face_tail *tail = face_tail_of(face_highs_of(g, slot), g->dim);
    uint32_t first = slot / FACE_GROUP * FACE_GROUP;

    tail->scopes = 0;
    tail->coarse = tail->fine = 0;
    for (uint32_t s = first; s < first + FACE_GROUP && s < g->n; s++) {
        const face_photo *photo = face_photo_of(g, s);

        tail->scopes |= g->people[photo->person].is.scopes;
        tail->coarse = fmaxf(tail->coarse, photo->coarse);
        tail->fine = fmaxf(tail->fine, photo->fine);
    }
}

static void refresh_person(face_gallery *g, uint32_t person) {
    for (uint32_t s = g->people[person].first; s != NOBODY; s = face_photo_of(g, s)->after)
        refresh_group(g, s);
}

static void encode(face_gallery *g, uint32_t slot) {
    uint8_t *highs = face_highs_of(g, slot);
    uint32_t lane = slot % FACE_GROUP;
    face_photo *photo = face_photo_of(g, slot);
    face_encoded e =
        face_encode(g->dim, face_master_of(g, slot), highs, lane, face_row_of(g, slot));

    face_tail_of(highs, g->dim)->scale[lane] = e.scale;
    photo->coarse = e.coarse;
    photo->fine = e.fine;
}

/* Point what is before and behind a photograph in its person's chain to `slot`. */
static void chain(face_gallery *g, uint32_t slot) {
    const face_photo *photo = face_photo_of(g, slot);

    if (photo->after != NOBODY)
        face_photo_of(g, photo->after)->before = slot;
    if (photo->before != NOBODY)
        face_photo_of(g, photo->before)->after = slot;
    else
        g->people[photo->person].first = slot;
}

static void link_photo(face_gallery *g, uint32_t slot, uint32_t person) {
    face_photo *photo = face_photo_of(g, slot);

    photo->person = person;
    photo->before = NOBODY;
    photo->after = g->people[person].first;
    chain(g, slot);
}

/* Take a photograph out of its person's chain; a person without one is gone. */
static void unlink_photo(face_gallery *g, uint32_t slot) {
    const face_photo *photo = face_photo_of(g, slot);

    if (photo->after != NOBODY)
        face_photo_of(g, photo->after)->before = photo->before;
    if (photo->before != NOBODY)
        face_photo_of(g, photo->before)->after = photo->after;
    else
        g->people[photo->person].first = photo->after;
    if (g->people[photo->person].first == NOBODY)
        face_people_remove(g, photo->person);
}

static int check_version(const face_gallery *g, const face_version *version, atg_err *err) {
    if (face_version_same(&g->version, version))
        return ATG_OK;
    return atg_fail(err, ATG_EINVAL,
                    "Templates of another model or pipeline cannot be compared with this gallery; "
                    "compute them again from the photographs");
}

int face_gallery_put(face_gallery *g, const face_version *version, const face_person *person,
                     const uuid *photo, const float *embedding, atg_err *err) {
    float unit[FACE_DIM_MAX];
    int64_t known = face_index_get(&g->by_photo, photo);
    uint32_t slot, who;
    int rc = check_version(g, version, err);

    if (!rc)
        rc = face_normalise(g->dim, embedding, unit, err);
    if (!rc)
        rc = face_people_reserve(g, err);
    if (!rc)
        rc = face_index_reserve(&g->by_photo, err);
    if (!rc && known < 0)
        rc = reserve_slot(g, err);
    if (rc)
        return rc;
    who = face_people_put(g, person);
    slot = known < 0 ? g->n++ : (uint32_t)known;
    if (known < 0) {
        face_photo_of(g, slot)->id = *photo;
        face_index_put(&g->by_photo, slot);
        link_photo(g, slot, who);
    } else if (face_photo_of(g, slot)->person != who) {
        unlink_photo(g, slot);
        link_photo(g, slot, who);
    }
    memcpy(face_master_of(g, slot), unit, g->dim * sizeof(*unit));
    bytes_wipe(unit, sizeof(unit));
    encode(g, slot);
    refresh_person(g, who);
    return ATG_OK;
}

int face_gallery_set_person(face_gallery *g, const face_person *person, atg_err *err) {
    int rc = ATG_OK;

    if (face_index_get(&g->by_person, &person->id) < 0)
        return atg_fail(err, ATG_ENOTFOUND, "The gallery has no such person");
    rc = face_people_reserve(g, err);
    if (!rc)
        refresh_person(g, face_people_put(g, person));
    return rc;
}

/* The last photograph takes the place of the one that goes. */
static void remove_slot(face_gallery *g, uint32_t slot) {
    uint32_t last = g->n - 1;
    face_photo *gone = face_photo_of(g, slot);

    unlink_photo(g, slot);
    face_index_remove(&g->by_photo, &gone->id);
    if (slot != last) {
        *gone = *face_photo_of(g, last);
        memcpy(face_master_of(g, slot), face_master_of(g, last), g->dim * sizeof(float));
        face_index_put(&g->by_photo, slot);
        chain(g, slot);
        encode(g, slot);
    }
    memset(face_photo_of(g, last), 0, sizeof(*gone));
    bytes_wipe(face_master_of(g, last), g->dim * sizeof(float));
    encode(g, last); /* its codes go with it */
    g->n--;
    refresh_group(g, slot);
    refresh_group(g, last);
    if (g->n + CHUNK <= (g->n_chunks - 1) * CHUNK)
        free_chunk(&g->chunks[--g->n_chunks], g->dim);
}

int face_gallery_remove(face_gallery *g, const uuid *photo, atg_err *err) {
    int64_t slot = face_index_get(&g->by_photo, photo);

    if (slot < 0)
        return atg_fail(err, ATG_ENOTFOUND, "The gallery has no such photograph");
    remove_slot(g, (uint32_t)slot);
    return ATG_OK;
}

int face_gallery_remove_person(face_gallery *g, const uuid *person, atg_err *err) {
    int64_t at = face_index_get(&g->by_person, person);

    if (at < 0)
        return atg_fail(err, ATG_ENOTFOUND, "The gallery has no such person");
    for (uint32_t n = g->n_persons; n == g->n_persons;)
        remove_slot(g, g->people[at].first);
    return ATG_OK;
}

uint32_t face_gallery_photos(const face_gallery *g) {
    return g->n;
}

uint32_t face_gallery_persons(const face_gallery *g) {
    return g->n_persons;
}

uint64_t face_gallery_memory(const face_gallery *g) {
    uint64_t chunk =
        CHUNK_GROUPS * face_high_size(g->dim) +
        CHUNK * (face_row_size(g->dim) + (uint64_t)g->dim * sizeof(float) + sizeof(face_photo));
    uint64_t indexes = g->by_photo.cap + g->by_person.cap + g->by_family.cap;

    return sizeof(*g) + g->n_chunks * (chunk + sizeof(face_chunk)) +
           g->people_room * (uint64_t)sizeof(face_someone) + indexes * sizeof(uint32_t);
}
