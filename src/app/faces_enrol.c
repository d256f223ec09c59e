/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of faces: made of the sealed pictures, kept sealed beside them. */
#include "app/faces_internal.h"

#include <string.h>

#include "app/cases_internal.h"
#include "app/face_marks.h"
#include "base/arena.h"
#include "base/bytes.h"
#include "face/detect.h"
#include "store/blobs.h"

enum { PAGE = 256, TEMPLATE_ARENA = 640 << 20, ID_ARENA = 16 << 20 };

static const db_statement next_photographs = {
    "face photographs",
    "SELECT id FROM r_photograph WHERE operation = $1 AND id > $2 AND what = 'face' AND image IS "
    "NOT NULL AND withdrawn = 0 ORDER BY id LIMIT $3"};
static const db_statement n_photographs = {
    "face photographs in all", "SELECT count(*) FROM r_photograph WHERE operation = $1 AND what = "
                               "'face' AND image IS NOT NULL AND withdrawn = 0"};
static const db_statement of_file = {
    "face photographs of a file",
    "SELECT id FROM r_photograph WHERE file = $1 AND id > $2 ORDER BY id LIMIT $3"};
static const db_statement to_take_out = {
    "face templates out",
    "SELECT t.id FROM r_face_template t JOIN r_photograph p ON p.id = t.photograph JOIN file f ON "
    "f.id = t.file LEFT JOIN r_missing m ON m.id = t.file WHERE t.operation = $1 AND t.id > $2 AND "
    "t.outcome = 'ready' AND (p.withdrawn = 1 OR p.image IS NULL OR p.what <> 'face' OR "
    "f.withdrawn = 1 OR m.state IN ('found_alive', 'withdrawn')) ORDER BY t.id LIMIT $3"};
static const db_statement living = {
    "face living", "SELECT count(*) FROM file f LEFT JOIN r_missing m ON m.id = f.id WHERE f.id = "
                   "$1 AND (f.withdrawn = 1 OR m.state IN ('found_alive', 'withdrawn'))"};

static const actor reader_actor = {.name = {"matcher", 7}};

/* One photograph on its way to a template. */
typedef struct enrolment {
    cases *c;
    const face_eye *eye;
    atg_arena *arena;
    const uuid *photograph;
    record *photo; /* NULL: not there, erased, or not to be read */
    record *was;   /* its template, if it has one */
    bool gone;     /* nobody searches for the person any more */
    char made_from[2 * HASH_SIZE + 1];
    record *template;
} enrolment;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for faces");
}

/* ---- what is to be done ---- */

static void note_made_from(enrolment *e) {
    const value *f = e->photo->fields;
    hasher h;
    hash256 hash;

    hash_begin(&h, "antigone/face/1", NULL);
    hash_bytes(&h, (atg_str){(const char *)f[PHOTOGRAPH_IMAGE].hash, RECORD_HASH});
    hash_bytes(&h, f[PHOTOGRAPH_LANDMARKS].known ? f[PHOTOGRAPH_LANDMARKS].text : ATG_STR(""));
    hash_number(&h, f[PHOTOGRAPH_RETOUCHED].known && f[PHOTOGRAPH_RETOUCHED].flag);
    hash = hash_end(&h);
    bytes_hex(hash.bytes, HASH_SIZE, e->made_from);
}

static bool shows_face(const record *r) {
    const value *v = &r->fields[PHOTOGRAPH_WHAT];

    return v->known && strcmp(record_field(RECORD_PHOTOGRAPH, PHOTOGRAPH_WHAT)->choices[v->choice],
                              "face") == 0;
}

static int load(db *d, void *user, atg_err *err) {
    enrolment *e = user;
    record_row row;
    int64_t n = 0;
    int rc = records_get(d, e->c->keys, e->arena, RECORD_PHOTOGRAPH, e->photograph, &row, err);
    db_value file;

    e->photo = e->was = NULL;
    if (rc == ATG_ENOTFOUND)
        return ATG_OK;
    if (rc || row.erased)
        return rc;
    e->photo = row.r;
    file = db_blob(row.r->file.bytes, UUID_SIZE);
    rc = db_get_one(d, &living, &file, 1, 0, &n, err);
    e->gone =
        n > 0 || row.r->withdrawn || !row.r->fields[PHOTOGRAPH_IMAGE].known || !shows_face(row.r);
    return rc ? rc : faces_template_of(d, e->c->keys, e->arena, e->photograph, &e->was, err);
}

static bool stands(const enrolment *e) {
    const value *f = e->was ? e->was->fields : NULL;

    return f && !e->was->withdrawn && faces_version_is(e->was, &e->eye->version) &&
           f[FACE_TEMPLATE_OUTCOME].choice != FACE_OUTCOME_TAKEN_OUT &&
           f[FACE_TEMPLATE_MADE_FROM].known &&
           atg_str_eq(f[FACE_TEMPLATE_MADE_FROM].text, atg_str_of(e->made_from));
}

/* ---- reading the picture ---- */

static int gather(void *user, atg_str bytes, atg_err *err) {
    (void)err; /* told by atg_buf_take() */
    atg_buf_add((atg_buf *)user, bytes);
    return ATG_OK;
}

static int look(enrolment *e, face_reading *ret, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(BLOB_MAX);
    const value *placed = &e->photo->fields[PHOTOGRAPH_LANDMARKS];
    blobs b = {cases_store(e->c), cases_keys(e->c), cases_directory(e->c)};
    face_landmarks marks;
    hash256 hash;
    atg_str bytes;
    int rc = ATG_OK;

    if (!buf)
        return no_memory(err);
    memcpy(hash.bytes, e->photo->fields[PHOTOGRAPH_IMAGE].hash, HASH_SIZE);
    if (placed->known)
        rc = face_marks_read(placed->text, &marks, err);
    if (!rc)
        rc = blobs_get(&b, &e->photo->person, &hash, (stream_sink){gather, buf}, err);
    if (!rc)
        rc = atg_buf_take(buf, &bytes, err);
    if (!rc)
        rc = e->eye->read(e->eye->user, bytes, placed->known ? &marks : NULL, e->arena, ret, err);
    return rc;
}

static int write_faces(enrolment *e, const face_reading *reading, atg_str *ret, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(40000);
    json j;

    if (!buf)
        return no_memory(err);
    j = json_new(buf);
    json_array_line(&j);
    for (uint32_t i = 0; i < reading->n_faces && i < FACE_FOUND_MAX; i++) {
        json_object_line(&j);
        json_key(&j, "landmarks");
        face_marks_write(&j, &reading->faces[i].marks);
        json_key(&j, "score");
        json_num(&j, reading->faces[i].score);
        json_end(&j, '}');
    }
    json_end(&j, ']');

    int rc = atg_buf_take(buf, ret, err);

    if (!rc)
        *ret = atg_arena_str(e->arena, *ret);
    return rc || ret->p ? rc : no_memory(err);
}

static choice_face_outcome outcome_of(const face_reading *reading) {
    if (!reading->n_faces)
        return FACE_OUTCOME_NO_FACE;
    if (reading->chosen < 0)
        return FACE_OUTCOME_CHOOSE_FACE;
    return reading->refused ? FACE_OUTCOME_POOR : FACE_OUTCOME_READY;
}

static value word(uint32_t choice) {
    return (value){.known = true, .choice = choice};
}

static value text(atg_str s) {
    return (value){.known = s.n > 0, .text = s};
}

static int fill_seen(enrolment *e, const face_reading *reading, atg_err *err) {
    value *f = e->template->fields;
    atg_str s = {NULL, 0};
    int rc = ATG_OK;

    f[FACE_TEMPLATE_OUTCOME] = word(outcome_of(reading));
    f[FACE_TEMPLATE_REASONS] =
        text(face_reasons_write(e->arena, reading->refused ? reading->refused : reading->cautions));
    if (reading->n_faces) {
        rc = write_faces(e, reading, &s, err);
        f[FACE_TEMPLATE_FACES] = text(s);
    }
    if (!rc && f[FACE_TEMPLATE_OUTCOME].choice == FACE_OUTCOME_READY) {
        rc = face_vector_write(e->arena, reading->embedding, e->eye->dim, &s, err);
        f[FACE_TEMPLATE_VECTOR] = text(s);
    }
    return rc;
}

/* The template as it shall be, without its vector. */
static int begin(enrolment *e, atg_err *err) {
    char hex[2 * HASH_SIZE + 1];
    value *f;

    e->template = record_new(e->arena, RECORD_FACE_TEMPLATE);
    if (!e->template)
        return no_memory(err);
    if (e->was) {
        e->template->id = e->was->id;
        e->template->rev = e->was->rev;
    }
    e->template->file = e->photo->file;
    e->template->operation = e->photo->operation;
    e->template->person = e->photo->person;
    f = e->template->fields;
    bytes_hex(e->eye->version.model, HASH_SIZE, hex);
    f[FACE_TEMPLATE_PHOTOGRAPH] = (value){.known = true, .ref = *e->photograph};
    f[FACE_TEMPLATE_MADE_FROM] = text(atg_arena_str(e->arena, atg_str_of(e->made_from)));
    f[FACE_TEMPLATE_MODEL] = text(atg_arena_str(e->arena, atg_str_of(hex)));
    f[FACE_TEMPLATE_PIPELINE] = (value){.known = true, .number = e->eye->version.pipeline};
    f[FACE_TEMPLATE_RETOUCHED] = (value){.known = true,
                                         .flag = e->photo->fields[PHOTOGRAPH_RETOUCHED].known &&
                                                 e->photo->fields[PHOTOGRAPH_RETOUCHED].flag};
    f[FACE_TEMPLATE_OUTCOME] = word(FACE_OUTCOME_TAKEN_OUT);
    return ATG_OK;
}

static bool is_of_picture(int rc) {
    return rc == ATG_EPARSE || rc == ATG_EINVAL || rc == ATG_ELIMIT;
}

static int make(enrolment *e, atg_err *err) {
    face_reading reading = {.chosen = -1};
    atg_err why = {0};
    int rc = look(e, &reading, &why);

    if (!rc)
        return fill_seen(e, &reading, err);
    if (!is_of_picture(rc)) {
        if (err)
            *err = why;
        return rc;
    }
    e->template->fields[FACE_TEMPLATE_OUTCOME] = word(FACE_OUTCOME_UNREADABLE);
    e->template->fields[FACE_TEMPLATE_REASONS] =
        text(atg_arena_printf(e->arena, "%.300s", why.msg));
    return ATG_OK;
}

/* ---- writing ---- */

static int put(db *d, void *user, atg_err *err) {
    enrolment *e = user;
    record *r = record_copy(e->arena, e->template);
    change ch = {e->was ? CHANGE_EDIT : CHANGE_ADD, r};
    cases_batch *b;
    int rc = r ? cases_batch_new(e->c, d, &reader_actor, e->arena, &b, err) : no_memory(err);

    if (!rc)
        rc = cases_apply(b, &ch, err);
    return rc ? rc : cases_batch_end(b, err);
}

static int enrol(enrolment *e, faces_done *done, atg_err *err) {
    int rc = store_read(cases_store(e->c), load, e, err);

    if (rc || !e->photo)
        return rc;
    note_made_from(e);
    if (e->gone) {
        if (!e->was || e->was->fields[FACE_TEMPLATE_OUTCOME].choice == FACE_OUTCOME_TAKEN_OUT)
            return ATG_OK;
        done->taken_out++;
        rc = begin(e, err);
    } else if (stands(e)) {
        done->unchanged++;
        return ATG_OK;
    } else {
        rc = begin(e, err);
        if (!rc)
            rc = make(e, err);
        done->made++;
        done->poor +=
            !rc && e->template->fields[FACE_TEMPLATE_OUTCOME].choice != FACE_OUTCOME_READY;
    }
    if (!rc)
        rc = store_write(cases_store(e->c), put, e, err);
    /* changed meanwhile, or erased: it comes again, or never */
    return rc == ATG_ECONFLICT || rc == ATG_EDENIED ? ATG_OK : rc;
}

static int enrol_one(cases *c, const uuid *photograph, const face_eye *eye, faces_done *ret,
                     atg_err *err) {
    ARENA_WIPED arena = atg_arena_new(TEMPLATE_ARENA);
    enrolment e = {.c = c, .eye = eye, .arena = arena, .photograph = photograph};

    return arena ? enrol(&e, ret, err) : no_memory(err);
}

/* ---- all of an operation, or of a file ---- */

typedef struct page {
    const db_statement *statement;
    const uuid *of; /* operation or file */
    uuid ids[PAGE];
    uuid after;
    uint32_t n;
    uint64_t total; /* of them in all, when it began; 0: not counted */
} page;

static int count_all(db *d, void *user, atg_err *err) {
    page *p = user;
    db_value of = db_blob(p->of->bytes, UUID_SIZE);
    int64_t n = 0;
    int rc = db_get_one(d, &n_photographs, &of, 1, 0, &n, err);

    p->total = n > 0 ? (uint64_t)n : 0;
    return rc;
}

static int read_page(db *d, void *user, atg_err *err) {
    page *p = user;
    db_value values[] = {db_blob(p->of->bytes, UUID_SIZE), db_blob(p->after.bytes, UUID_SIZE),
                         db_int(PAGE)};
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = db_query(d, p->statement, values, 3, &rows, err);

    p->n = 0;
    while (!rc && (rc = db_next(rows, err)) > 0) {
        memcpy(p->ids[p->n++].bytes, db_get_blob(rows, 0).p, UUID_SIZE);
        rc = ATG_OK;
    }
    return rc;
}

/* The photograph of a template. */
typedef struct pointing {
    cases *c;
    const uuid *template;
    uuid photograph;
} pointing;

static int point(db *d, void *user, atg_err *err) {
    pointing *p = user;
    ATG_AUTO(atg_arena) arena = atg_arena_new(ID_ARENA);
    record_row row;
    int rc = arena ? records_get(d, p->c->keys, arena, RECORD_FACE_TEMPLATE, p->template, &row, err)
                   : no_memory(err);

    if (!rc)
        p->photograph = row.r->fields[FACE_TEMPLATE_PHOTOGRAPH].ref;
    return rc;
}

static int each(cases *c, const page *p, uint32_t i, const face_eye *eye, faces_done *done,
                atg_err *err) {
    pointing w = {.c = c, .template = &p->ids[i], .photograph = p->ids[i]};
    int rc = ATG_OK;

    if (p->statement == &to_take_out)
        rc = store_read(cases_store(c), point, &w, err);
    return rc ? rc : enrol_one(c, &w.photograph, eye, done, err);
}

static int every(cases *c, page *p, const face_eye *eye, const atg_progress *progress,
                 faces_done *done, atg_err *err) {
    uint64_t n = 0;

    do {
        int rc = store_read(cases_store(c), read_page, p, err);

        for (uint32_t i = 0; i < p->n && !rc; i++) {
            rc = each(c, p, i, eye, done, err);
            n++;
            if (!rc && progress && progress->step &&
                !progress->step(progress->user, "faces", n, n > p->total ? n : p->total))
                rc = atg_fail(err, ATG_ECANCEL, "Stopped; what was read stays");
        }
        if (rc)
            return rc;
        if (p->n)
            p->after = p->ids[p->n - 1];
    } while (p->n == PAGE);
    return ATG_OK;
}

int faces_enrol(cases *c, const uuid *operation, const face_eye *eye, const atg_progress *progress,
                faces_done *ret, atg_err *err) {
    page p = {.statement = &to_take_out, .of = operation};
    int rc = every(c, &p, eye, NULL, ret, err);

    p = (page){.statement = &next_photographs, .of = operation};
    if (!rc && progress)
        rc = store_read(cases_store(c), count_all, &p, err);
    return rc ? rc : every(c, &p, eye, progress, ret, err);
}

int faces_enrol_file(cases *c, const uuid *file, const face_eye *eye, faces_done *ret,
                     atg_err *err) {
    page p = {.statement = &of_file, .of = file};

    return every(c, &p, eye, NULL, ret, err);
}
