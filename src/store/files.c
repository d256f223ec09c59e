/* SPDX-License-Identifier: Apache-2.0 */
#include "store/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    SITE_MAX = 8,
    KIND_MAX = 4,    /* letters of the kind of a code */
    PAGE_MAX = 1000, /* files of a page */
    ROWS_FIRST = 16,
    RANGES_MAX = 64, /* of an index that a page is merged from */
    NUMBER_DIGITS = 6,
};

/* Two rows of one statement, so that a file costs one round trip; in this order, so that nobody
 * waits for one who waits for them. */
static const db_statement take_numbers = {
    "take_numbers",
    "INSERT INTO counter(name, next) VALUES ('file', 1 + $2), ($1, 1 + $2) ON CONFLICT (name) DO "
    "UPDATE SET next = counter.next + $2 RETURNING name, next - $2"};

static const db_statement take_code = {
    "take_code",
    "INSERT INTO counter(name, next) VALUES ('file', 2), ($1, 1 + $2) ON CONFLICT (name) DO UPDATE "
    "SET next = CASE WHEN counter.name = 'file' THEN counter.next + 1 WHEN counter.next > $2 THEN "
    "counter.next ELSE 1 + $2 END RETURNING name, next"};

#define ROW "n, id, operation, kind, code, state, sex, sort, changed, withdrawn"

static const db_statement insert_file = {
    "insert_file", "INSERT INTO file(" ROW ", site, number) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"};
static const db_statement update_file = {"update_file",
                                         "UPDATE file SET state = $2, sex = $3, sort = $4, "
                                         "changed = $5, withdrawn = $6 WHERE id = $1"};
static const db_statement get_file = {"get_file", "SELECT " ROW " FROM file WHERE id = $1"};
static const db_statement find_file = {"find_file", "SELECT " ROW " FROM file WHERE code = $1"};
static const db_statement count_one = {
    "count_file", "INSERT INTO file_count(operation, kind, state, n) VALUES ($1, $2, $3, $4) ON "
                  "CONFLICT (operation, kind, state) DO UPDATE SET n = file_count.n + excluded.n"};
static const db_statement get_counts = {
    "count_files", "SELECT state, n FROM file_count WHERE operation = $1 AND kind = $2"};

static const db_statement numbered_files = {
    "numbered_files",
    "SELECT " ROW " FROM unnest($1) CROSS JOIN file WHERE n = unnest AND operation "
    "= $2 AND withdrawn = 0 AND ($3 = '' OR kind = $3) AND ($4 = '' OR state = "
    "$4) AND ($5 = '' OR sex = $5) ORDER BY n DESC"};

/* A range of an index that is in the order of the list, from behind one row on. */
#define OF "SELECT " ROW ", site, number FROM file WHERE operation = $1 AND kind = $2 AND "
#define ALL OF "withdrawn + 0 = $3 "
#define SOME OF "withdrawn = $3 AND state = $4 AND sex = $5 "

static const struct {
    db_statement all, some;
} pages[] = {
    [FILES_BY_CODE] = {{"files_by_code",
                        ALL "AND (site, number) > ($4, $5) ORDER BY site, number LIMIT $6"},
                       {"some_files_by_code",
                        SOME "AND (site, number) > ($6, $7) ORDER BY site, number LIMIT $8"}},
    [FILES_BY_NAME] = {{"files_by_name", ALL "AND (sort, n) > ($4, $5) ORDER BY sort, n LIMIT $6"},
                       {"some_files_by_name",
                        SOME "AND (sort, n) > ($6, $7) ORDER BY sort, n LIMIT $8"}},
    [FILES_BY_CHANGE] = {{"files_by_change",
                          ALL "AND (changed, n) < ($4, $5) ORDER BY changed DESC, n DESC LIMIT $6"},
                         {"some_files_by_change", SOME
                          "AND (changed, n) < ($6, $7) ORDER BY changed DESC, n DESC LIMIT $8"}},
};

/* ---- codes ---- */

static bool is_site(atg_str s) {
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= 'A' && s.p[i] <= 'Z') && !(s.p[i] >= '0' && s.p[i] <= '9'))
            return false;
    return s.n >= 1 && s.n <= SITE_MAX;
}

int files_numbers(db *d, const char *kind, atg_str site, int64_t count, int64_t *ret_n,
                  int64_t *ret_number, atg_err *err) {
    char name[KIND_MAX + SITE_MAX + 2];
    int64_t n = 0, number = 0;
    db_rows *rows = NULL;
    int rc;

    if (!is_site(site) || strlen(kind) > KIND_MAX || count < 1)
        return atg_fail(err, ATG_EINVAL,
                        "Codes are counted by kind and by site, 1 to %d of A-Z and 0-9",
                        (int)SITE_MAX);
    (void)snprintf(name, sizeof(name), "%s-%.*s", kind, ATG_FMT(site));
    rc = db_query(d, &take_numbers, (db_value[]){db_text(atg_str_of(name)), db_int(count)}, 2,
                  &rows, err);
    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        bool file = atg_str_eq(db_get_text(rows, 0), ATG_STR("file"));

        *(file ? &n : &number) = db_get_int(rows, 1);
        rc = ATG_OK;
    }
    db_end(rows);
    if (rc)
        return rc;
    *ret_n = n;
    *ret_number = number;
    return ATG_OK;
}

void files_code(const char *kind, atg_str site, int64_t number, char ret[FILE_CODE_MAX]) {
    (void)snprintf(ret, FILE_CODE_MAX, "%.*s-%.*s-%0*" PRId64, (int)KIND_MAX, kind,
                   (int)(site.n < SITE_MAX ? site.n : SITE_MAX), site.p, (int)NUMBER_DIGITS,
                   number);
}

/* Exactly a text of files_code()? */
static bool read_code(record_kind kind, atg_str code, atg_str *ret_site, int64_t *ret_number) {
    const char *of = record_types[kind].code;
    atg_str rest = code, head = atg_str_cut(&rest, '-'), site = atg_str_cut(&rest, '-');
    char again[FILE_CODE_MAX];
    int64_t number = 0;

    if (!of || !atg_str_eq(head, atg_str_of(of)) || !is_site(site) || rest.n < NUMBER_DIGITS ||
        rest.n > 18)
        return false;
    for (size_t i = 0; i < rest.n; i++)
        number = 10 * number + (rest.p[i] - '0');
    files_code(of, site, number, again);
    *ret_site = site;
    *ret_number = number;
    return atg_str_eq(code, atg_str_of(again));
}

int files_taken(db *d, record_kind kind, atg_str code, int64_t *ret_n, atg_err *err) {
    char name[KIND_MAX + SITE_MAX + 2];
    int64_t n = 0, number;
    db_rows *rows = NULL;
    atg_str site;
    int rc;

    if (!read_code(kind, code, &site, &number))
        return atg_fail(err, ATG_EINVAL, "'%.*s' is no code of a %s",
                        (int)(code.n < FILE_CODE_MAX ? code.n : FILE_CODE_MAX),
                        code.n ? code.p : "", record_types[kind].title);
    (void)snprintf(name, sizeof(name), "%s-%.*s", record_types[kind].code, ATG_FMT(site));
    rc = db_query(d, &take_code, (db_value[]){db_text(atg_str_of(name)), db_int(number)}, 2, &rows,
                  err);
    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        if (atg_str_eq(db_get_text(rows, 0), ATG_STR("file")))
            n = db_get_int(rows, 1) - 1;
        rc = ATG_OK;
    }
    db_end(rows);
    if (rc == ATG_OK && ret_n)
        *ret_n = n;
    return rc;
}

/* ---- rows ---- */

static db_value id_of(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

static const char *state_name(record_kind kind, uint32_t state) {
    const char *const *states = record_types[kind].states;

    return states[0] ? states[state] : "";
}

static const char *const sexes[] = {"male", "female", "unknown", NULL};
_Static_assert(sizeof(sexes) / sizeof(*sexes) == SEX_COUNT + 1, "as schema/records.json has them");

static const char *sex_name(int index) {
    return index < 0 ? "" : sexes[index];
}

static int write_count(db *d, const uuid *operation, record_kind kind, uint32_t state, int64_t n,
                       atg_err *err) {
    return db_post(d, &count_one,
                   (db_value[]){id_of(operation), db_text(atg_str_of(record_types[kind].name)),
                                db_text(atg_str_of(state_name(kind, state))), db_int(n)},
                   4, err);
}

int files_tally_write(db *d, files_tally *t, atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t i = 0; i < t->n && rc == ATG_OK; i++)
        if (t->of[i].n)
            rc =
                write_count(d, &t->of[i].operation, t->of[i].kind, t->of[i].state, t->of[i].n, err);
    t->n = 0;
    return rc;
}

static int count(db *d, const file_row *f, uint32_t state, int64_t n, files_tally *t,
                 atg_err *err) {
    int rc = ATG_OK;
    uint32_t i = 0;

    if (!t)
        return write_count(d, &f->operation, f->kind, state, n, err);
    while (i < t->n && (t->of[i].kind != f->kind || t->of[i].state != state ||
                        uuid_cmp(&t->of[i].operation, &f->operation) != 0))
        i++;
    if (i == FILES_TALLY) {
        rc = files_tally_write(d, t, err);
        i = 0;
    }
    if (i == t->n) {
        t->of[i].operation = f->operation;
        t->of[i].kind = f->kind;
        t->of[i].state = state;
        t->of[i].n = 0;
        t->n++;
    }
    t->of[i].n += n;
    return rc;
}

static void note_counted(file_row *f) {
    f->counted.state = f->state;
    f->counted.withdrawn = f->withdrawn;
}

static int check_row(const file_row *f, atg_err *err) {
    if (f->sort.n > FILE_SORT_MAX)
        return atg_fail(err, ATG_EINVAL, "A sort key has at most %d bytes", (int)FILE_SORT_MAX);
    return ATG_OK;
}

int files_insert(db *d, file_row *f, files_tally *t, atg_err *err) {
    atg_str site;
    int64_t number;
    int rc = check_row(f, err);

    if (!read_code(f->kind, f->code, &site, &number))
        return atg_fail(err, ATG_EINVAL, "'%.*s' is no code of a %s",
                        (int)(f->code.n < FILE_CODE_MAX ? f->code.n : FILE_CODE_MAX),
                        f->code.p ? f->code.p : "", record_types[f->kind].title);
    if (rc == ATG_OK)
        rc = db_post(d, &insert_file,
                     (db_value[]){db_int(f->n), id_of(&f->id), id_of(&f->operation),
                                  db_text(atg_str_of(record_types[f->kind].name)), db_text(f->code),
                                  db_text(atg_str_of(state_name(f->kind, f->state))),
                                  db_text(atg_str_of(sex_name(f->sex))),
                                  db_blob(f->sort.p, f->sort.n), db_int(f->changed),
                                  db_int(f->withdrawn), db_text(site), db_int(number)},
                     12, err);
    if (rc == ATG_OK && !f->withdrawn)
        rc = count(d, f, f->state, 1, t, err);
    note_counted(f);
    return rc;
}

int files_update(db *d, file_row *f, files_tally *t, atg_err *err) {
    bool same = f->state == f->counted.state && f->withdrawn == f->counted.withdrawn;
    int rc = check_row(f, err);

    if (rc == ATG_OK && !same && !f->counted.withdrawn)
        rc = count(d, f, f->counted.state, -1, t, err);
    if (rc == ATG_OK && !same && !f->withdrawn)
        rc = count(d, f, f->state, 1, t, err);
    if (rc == ATG_OK)
        rc = db_post(d, &update_file,
                     (db_value[]){id_of(&f->id), db_text(atg_str_of(state_name(f->kind, f->state))),
                                  db_text(atg_str_of(sex_name(f->sex))),
                                  db_blob(f->sort.p, f->sort.n), db_int(f->changed),
                                  db_int(f->withdrawn)},
                     6, err);
    note_counted(f);
    return rc;
}

static bool read_id(db_rows *rows, int at, uuid *ret) {
    atg_str s = db_get_blob(rows, at);

    if (s.n == UUID_SIZE)
        memcpy(ret->bytes, s.p, UUID_SIZE);
    return s.n == UUID_SIZE;
}

static int read_row(atg_arena *arena, db_rows *rows, file_row *ret, atg_err *err) {
    file_row f = {.n = db_get_int(rows, 0), .sex = -1};
    int kind = record_kind_of(db_get_text(rows, 3)), state = 0;
    atg_str word = db_get_text(rows, 6);

    if (kind >= 0 && record_types[kind].states[0])
        state = record_word(record_types[kind].states, db_get_text(rows, 5));
    if (word.n)
        f.sex = record_word(sexes, word);
    if (!read_id(rows, 1, &f.id) || !read_id(rows, 2, &f.operation) || kind < 0 || state < 0 ||
        (word.n && f.sex < 0))
        return atg_fail(err, ATG_EDB, "The row of file number %" PRId64 " is damaged", f.n);
    f.kind = (record_kind)kind;
    f.state = (uint32_t)state;
    f.code = atg_arena_str(arena, db_get_text(rows, 4));
    f.sort = atg_arena_str(arena, db_get_blob(rows, 7));
    if (!f.code.p || !f.sort.p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading files");
    f.changed = db_get_int(rows, 8);
    f.withdrawn = db_get_int(rows, 9) != 0;
    note_counted(&f);
    *ret = f;
    return ATG_OK;
}

static int get_one(db *d, atg_arena *arena, const db_statement *statement, db_value by,
                   file_row *ret, atg_err *err) {
    db_rows *rows = NULL;
    file_row f = {0};
    int rc = db_query(d, statement, &by, 1, &rows, err);

    if (rc || !rows)
        return rc;
    rc = db_next(rows, err);
    if (rc == 0)
        rc = atg_fail(err, ATG_ENOTFOUND, "There is no such file");
    if (rc > 0)
        rc = read_row(arena, rows, &f, err);
    if (rc == ATG_OK)
        rc = db_next(rows, err); /* a column of another type is told here */
    db_end(rows);
    if (rc == ATG_OK)
        *ret = f;
    return rc;
}

int files_get(db *d, atg_arena *arena, const uuid *id, file_row *ret, atg_err *err) {
    return get_one(d, arena, &get_file, id_of(id), ret, err);
}

void files_foresee(db *d, const uuid *id) {
    db_foresee(d, &get_file, (db_value[]){id_of(id)}, 1);
}

int files_find(db *d, atg_arena *arena, atg_str code, file_row *ret, atg_err *err) {
    char upper[FILE_CODE_MAX];

    if (code.n > sizeof(upper))
        return atg_fail(err, ATG_ENOTFOUND, "There is no such file");
    for (size_t i = 0; i < code.n; i++) {
        bool small = code.p[i] >= 'a' && code.p[i] <= 'z';

        upper[i] = (char)(small ? code.p[i] - 'a' + 'A' : code.p[i]);
    }
    return get_one(d, arena, &find_file, db_text((atg_str){upper, code.n}), ret, err);
}

/* ---- lists ---- */

/* Where a page goes on. */
typedef struct from {
    db_value a, b;
} from;

static from first_page(files_order order) {
    static const from starts[] = {
        [FILES_BY_CODE] = {{.type = DB_TEXT, .s = {"", 0}}, {.type = DB_INT, .i = -1}},
        [FILES_BY_NAME] = {{.type = DB_BLOB, .s = {"", 0}}, {.type = DB_INT, .i = -1}},
        [FILES_BY_CHANGE] = {{.type = DB_INT, .i = INT64_MAX}, {.type = DB_INT, .i = INT64_MAX}},
    };

    return starts[order];
}

/* What a row is sorted by; views into it. */
static from place_of(files_order order, const file_row *f) {
    from p = {db_int(f->changed), db_int(f->n)};
    atg_str site = {"", 0};
    int64_t number = 0;

    if (order == FILES_BY_NAME)
        p.a = db_blob(f->sort.p, f->sort.n);
    if (order == FILES_BY_CODE && read_code(f->kind, f->code, &site, &number))
        p = (from){db_text(site), db_int(number)};
    return p;
}

static int compare(files_order order, const file_row *x, const file_row *y) {
    from a = place_of(order, x), b = place_of(order, y);
    int way = order == FILES_BY_CHANGE ? -1 : 1, c;

    if (a.a.type == DB_INT)
        c = (a.a.i > b.a.i) - (a.a.i < b.a.i);
    else
        c = atg_str_cmp(a.a.s, b.a.s);
    return way * (c ? c : (a.b.i > b.b.i) - (a.b.i < b.b.i));
}

/* Part of a list: one range of an index. */
typedef struct range {
    bool withdrawn;
    int state, sex; /* -1: any, both; a sex of SEX_COUNT: none */
    file_row *rows;
    uint32_t n, cap, at;
} range;

/* Room for one more row. */
static file_row *grow(atg_arena *arena, range *r) {
    uint32_t more = r->cap ? 2 * r->cap : ROWS_FIRST;
    file_row *copy;

    if (r->n < r->cap)
        return r->rows;
    copy = ATG_GET(arena, file_row, more);
    if (copy && r->n)
        memcpy(copy, r->rows, r->n * sizeof(*copy));
    r->cap = more;
    return copy;
}

static int read_rows(atg_arena *arena, db_rows *rows, range *r, atg_err *err) {
    int rc;

    while ((rc = db_next(rows, err)) > 0) {
        r->rows = grow(arena, r);
        if (!r->rows)
            return atg_fail(err, ATG_ENOMEM, "Out of memory reading files");
        rc = read_row(arena, rows, &r->rows[r->n], err);
        if (rc)
            return rc;
        r->n++;
    }
    return rc;
}

static int read_range(db *d, atg_arena *arena, const files_query *q, const from *p, range *r,
                      atg_err *err) {
    bool some = r->sex >= 0;
    const db_statement *statement = some ? &pages[q->order].some : &pages[q->order].all;
    db_value values[8] = {id_of(&q->operation), db_text(atg_str_of(record_types[q->kind].name)),
                          db_int(r->withdrawn)};
    db_rows *rows = NULL;
    int n = 3, rc;

    if (some) {
        values[n++] = db_text(atg_str_of(state_name(q->kind, (uint32_t)r->state)));
        values[n++] = db_text(atg_str_of(sex_name(r->sex < SEX_COUNT ? r->sex : -1)));
    }
    values[n++] = p->a;
    values[n++] = p->b;
    values[n++] = db_int(q->limit);
    rc = db_query(d, statement, values, n, &rows, err);
    if (rc == ATG_OK && rows)
        rc = read_rows(arena, rows, r, err);
    db_end(rows);
    return rc;
}

int files_numbered(db *d, atg_arena *arena, const files_numbered_query *q, file_row **ret,
                   uint32_t *ret_n, atg_err *err) {
    const char *kind = q->kind < 0 ? "" : record_types[q->kind].name;
    const char *state =
        q->kind < 0 || q->state < 0 ? "" : state_name((record_kind)q->kind, (uint32_t)q->state);
    range r = {0};
    db_rows *rows = NULL;
    int rc = db_query(d, &numbered_files,
                      (db_value[]){db_ints(q->numbers, q->n), id_of(&q->operation),
                                   db_text(atg_str_of(kind)), db_text(atg_str_of(state)),
                                   db_text(atg_str_of(sex_name(q->sex)))},
                      5, &rows, err);

    if (rc == ATG_OK && rows)
        rc = read_rows(arena, rows, &r, err);
    db_end(rows);
    if (rc)
        return rc;
    *ret = r.rows;
    *ret_n = r.n;
    return ATG_OK;
}

/* Without a filter one index has the order; with one, each state and sex is a range of another. */
static uint32_t ranges_of(const files_query *q, range ret[RANGES_MAX]) {
    const char *const *states = record_types[q->kind].states;
    bool any = q->state < 0 && q->sex < 0;
    int n_states = 1;
    uint32_t n = 0;

    while (states[0] && states[n_states])
        n_states++;
    for (int w = 0; w <= (int)q->withdrawn; w++) {
        if (any)
            ret[n++] = (range){.withdrawn = w, .state = -1, .sex = -1};
        for (int state = 0; !any && state < n_states; state++)
            for (int s = 0; s <= SEX_COUNT && n < RANGES_MAX; s++)
                if ((q->state < 0 || state == q->state) && (q->sex < 0 || s == q->sex))
                    ret[n++] = (range){.withdrawn = w, .state = state, .sex = s};
    }
    return n;
}

static uint32_t merge(files_order order, range *ranges, uint32_t n_ranges, file_row *ret,
                      uint32_t limit) {
    uint32_t n = 0;

    for (; n < limit; n++) {
        range *first = NULL;

        for (range *r = ranges; r < ranges + n_ranges; r++)
            if (r->at < r->n &&
                (!first || compare(order, &r->rows[r->at], &first->rows[first->at]) < 0))
                first = r;
        if (!first)
            break;
        ret[n] = first->rows[first->at++];
    }
    return n;
}

static int check_query(const files_query *q, atg_err *err) {
    if (q->limit < 1 || q->limit > PAGE_MAX)
        return atg_fail(err, ATG_EINVAL, "A page has 1 to %d files", (int)PAGE_MAX);
    if (q->sex >= SEX_COUNT)
        return atg_fail(err, ATG_EINVAL, "There is no such sex");
    return ATG_OK;
}

int files_list(db *d, atg_arena *arena, const files_query *q, file_row **ret, uint32_t *ret_n,
               atg_err *err) {
    range ranges[RANGES_MAX];
    from p = first_page(q->order);
    uint32_t n = ranges_of(q, ranges);
    file_row after = {0}, *rows;
    int rc = check_query(q, err);

    if (rc == ATG_OK && !uuid_none(&q->after)) {
        rc = files_get(d, arena, &q->after, &after, err);
        if (rc == ATG_OK)
            p = place_of(q->order, &after);
    }
    for (uint32_t i = 0; rc == ATG_OK && i < n; i++)
        rc = read_range(d, arena, q, &p, &ranges[i], err);
    if (rc)
        return rc;
    if (n == 1) {
        *ret = ranges[0].rows;
        *ret_n = ranges[0].n;
        return ATG_OK;
    }
    rows = ATG_GET(arena, file_row, q->limit);
    if (!rows)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading files");
    *ret_n = merge(q->order, ranges, n, rows, q->limit);
    *ret = rows;
    return ATG_OK;
}

int files_count(db *d, const uuid *operation, record_kind kind, int64_t *ret, uint32_t n_states,
                atg_err *err) {
    const char *const *states = record_types[kind].states;
    db_rows *rows = NULL;
    int rc;

    memset(ret, 0, n_states * sizeof(*ret));
    rc = db_query(d, &get_counts,
                  (db_value[]){id_of(operation), db_text(atg_str_of(record_types[kind].name))}, 2,
                  &rows, err);
    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        int state = states[0] ? record_word(states, db_get_text(rows, 0)) : 0;

        rc = ATG_OK;
        if (state >= 0 && (uint32_t)state < n_states)
            ret[state] += db_get_int(rows, 1);
    }
    db_end(rows);
    return rc;
}
