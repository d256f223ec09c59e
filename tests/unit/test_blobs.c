/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures: kept, given out, erased, checked, and on their bad days. */
#include "kept.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/blobs.h"

enum { PICTURE = 300000, LARGE = 9 << 20, THREADS = 4, KILLS = 12, FOUND = 8, PATH = 512 };

typedef struct shelf {
    const database *where;
    store *s;
    keyring *keys;
    blobs b;
    uuid operation, person;
} shelf;

static int new_operation(db *d, void *user, atg_err *err) {
    const shelf *f = user;

    return keys_operation_new(d, f->keys, &f->operation, err);
}

static int new_person(db *d, void *user, atg_err *err) {
    const shelf *f = user;

    return keys_person_new(d, f->keys, &f->operation, &f->person, NULL, err);
}

static int erase_person(db *d, void *user, atg_err *err) {
    const shelf *f = user;

    return keys_erase(d, f->keys, &f->operation, &f->person, &f->person, 1, err);
}

static shelf reopen(const database *where, const shelf *before) {
    store_options o = {.directory = where->directory,
                       .conninfo = database_conninfo(where),
                       .create = true,
                       .migrations = record_migrations,
                       .n_migrations = record_migrations_n};
    shelf f = {.where = where, .keys = kept_keys()};
    atg_err err = {0};

    must(store_open(&o, &f.s, &err), &err);
    f.b = (blobs){f.s, f.keys, where->directory};
    if (before) {
        f.operation = before->operation;
        f.person = before->person;
    }
    return f;
}

static shelf shelf_open(const database *where) {
    shelf f = reopen(where, NULL);
    atg_err err = {0};

    f.operation = kept_id();
    f.person = kept_id();
    must(store_write(f.s, new_operation, &f, &err), &err);
    must(store_write(f.s, new_person, &f, &err), &err);
    return f;
}

static void shelf_close(shelf *f) {
    store_close(f->s);
    keyring_close(f->keys);
}

/* ---- pictures ---- */

static char plain[LARGE];

static atg_str picture(uint64_t seed, size_t n) {
    atg_rng rng = atg_rng_seed(seed);

    assert_true(n <= sizeof(plain));
    for (size_t i = 0; i < n; i++)
        plain[i] = (char)atg_rng_next(&rng);
    return (atg_str){plain, n};
}

typedef struct collected {
    char *p;
    size_t n;
    int refuse; /* the code to refuse the next bytes with */
} collected;

static int collect(void *user, atg_str bytes, atg_err *err) {
    collected *c = user;

    if (c->refuse)
        return atg_fail(err, c->refuse, "refused");
    memcpy(c->p + c->n, bytes.p, bytes.n);
    c->n += bytes.n;
    return ATG_OK;
}

static char got[LARGE];

static int get(const shelf *f, const hash256 *hash, atg_str *ret, atg_err *err) {
    collected c = {.p = got};
    int rc = blobs_get(&f->b, &f->person, hash, (stream_sink){collect, &c}, err);

    *ret = (atg_str){got, c.n};
    return rc;
}

static hash256 put(const shelf *f, atg_str bytes) {
    hash256 hash = {{0}};
    atg_err err = {0};

    must(blobs_put(&f->b, &f->operation, &f->person, bytes, &hash, &err), &err);
    return hash;
}

static void expect_whole(const shelf *f, const hash256 *hash, atg_str bytes) {
    atg_str back;
    uint64_t n;
    atg_err err = {0};

    must(get(f, hash, &back, &err), &err);
    assert_true(atg_str_eq(back, bytes));
    must(blobs_size(&f->b, &f->person, hash, &n, &err), &err);
    assert_true(n == bytes.n);
}

/* ---- files and rows ---- */

static int run_script(db *d, void *user, atg_err *err) {
    return db_script(d, "damage", user, err);
}

static void damage(const shelf *f, const char *sql) {
    char text[500];
    atg_err err = {0};

    assert_true(strlen(sql) < sizeof(text));
    memcpy(text, sql, strlen(sql) + 1);
    must(store_write(f->s, run_script, text, &err), &err);
}

/* The paths of all picture files; returns how many. */
static int files(const shelf *f, char ret[FOUND][PATH]) {
    int n = 0;

    for (unsigned i = 0; i < 257; i++) {
        char path[PATH];
        DIR *dir;

        if (i < 256)
            snprintf(path, sizeof(path), "%s/pictures/%02x", f->where->directory, i);
        else
            snprintf(path, sizeof(path), "%s/pictures", f->where->directory);
        dir = opendir(path);
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
        for (struct dirent *e; dir && (e = readdir(dir));) {
            size_t m = strlen(path);

            if (e->d_type != DT_REG || strcmp(e->d_name, "lock") == 0)
                continue;
            assert_true(n < FOUND && m + 1 + strlen(e->d_name) < PATH);
            memcpy(ret[n], path, m);
            ret[n][m] = '/';
            memcpy(ret[n++] + m + 1, e->d_name, strlen(e->d_name) + 1);
        }
        if (dir)
            closedir(dir);
    }
    return n;
}

typedef struct told {
    int n;
    blob_finding all[FOUND];
} told;

static int note(void *user, const blob_finding *finding, atg_err *err) {
    told *t = user;

    (void)err;
    assert_true(t->n < FOUND);
    t->all[t->n++] = *finding;
    return ATG_OK;
}

static blob_report check(const shelf *f, bool tidy, told *t) {
    blob_checking how = {.tidy = tidy, .tell = note, .user = t};
    blob_report report = {0};
    atg_err err = {0};

    t->n = 0;
    must(blobs_check(&f->b, &how, &report, &err), &err);
    return report;
}

static void expect_fault(const shelf *f, blob_fault fault, const hash256 *hash) {
    told t;
    blob_report r = check(f, false, &t);
    atg_str back;
    atg_err err = {0};

    assert_int_equal(t.n, 1);
    assert_int_equal(t.all[0].fault, fault);
    assert_true(hash_eq(&t.all[0].hash, hash));
    assert_memory_equal(&t.all[0].person, &f->person, sizeof(uuid));
    assert_int_equal(r.missing, fault == BLOB_MISSING);
    assert_int_equal(r.changed, fault == BLOB_CHANGED);
    assert_int_equal(get(f, hash, &back, &err), ATG_EDB);
    assert_non_null(strstr(err.msg, fault == BLOB_MISSING ? "lost" : "damaged"));
}

/* ---- tests ---- */

static void pictures_of_any_length_come_back(const database *where) {
    static const size_t lengths[] = {1,     2,     65503,       65504,   65536 - 32,
                                     65536, 65537, 1048576 - 1, 1048576, LARGE};
    shelf f = shelf_open(where);
    hash256 hashes[10];
    told t;
    blob_report r;

    for (size_t i = 0; i < 10; i++)
        hashes[i] = put(&f, picture(i, lengths[i]));
    for (size_t i = 0; i < 10; i++)
        expect_whole(&f, &hashes[i], picture(i, lengths[i]));
    r = check(&f, false, &t);
    assert_int_equal(r.pictures, 10);
    assert_int_equal(t.n, 0);
    shelf_close(&f);
}

static void the_same_picture_is_kept_once_a_person(const database *where) {
    shelf f = shelf_open(where), g = f;
    atg_str bytes = picture(1, PICTURE);
    hash256 hash = put(&f, bytes), again = put(&f, bytes), other;
    told t;

    assert_true(hash_eq(&hash, &again));
    assert_int_equal(check(&f, false, &t).pictures, 1);
    g.person = kept_id();
    must(store_write(g.s, new_person, &g, NULL), &(atg_err){.msg = "person"});
    other = put(&g, bytes);
    assert_true(hash_eq(&hash, &other));
    assert_int_equal(check(&f, false, &t).pictures, 2);
    expect_whole(&f, &hash, bytes);
    expect_whole(&g, &hash, bytes);
    if (!where->postgres) {
        char paths[FOUND][PATH];

        assert_int_equal(files(&f, paths), 2);
    }
    shelf_close(&f);
}

static void the_hash_says_nothing_outside_of_the_operation(const database *where) {
    shelf f = shelf_open(where), g = f;
    hash256 hash = put(&f, picture(1, PICTURE)), other, open = hash_of(picture(1, PICTURE), NULL);

    g.operation = kept_id();
    g.person = kept_id();
    must(store_write(g.s, new_operation, &g, NULL), &(atg_err){.msg = "operation"});
    must(store_write(g.s, new_person, &g, NULL), &(atg_err){.msg = "person"});
    other = put(&g, picture(1, PICTURE));
    assert_false(hash_eq(&hash, &other));
    assert_false(hash_eq(&hash, &open));
    shelf_close(&f);
}

static void what_is_not_there_is_not_found(const database *where) {
    shelf f = shelf_open(where), g = f;
    hash256 hash = put(&f, picture(1, 1000)), none = {{1}};
    atg_str back;
    atg_err err = {0};

    assert_int_equal(get(&f, &none, &back, &err), ATG_ENOTFOUND);
    g.person = kept_id();
    assert_int_equal(get(&g, &hash, &back, &err), ATG_ENOTFOUND);
    assert_int_equal(blobs_put(&g.b, &g.operation, &g.person, picture(1, 5), &none, &err),
                     ATG_ENOTFOUND);
    assert_int_equal(blobs_put(&f.b, &f.operation, &f.person, (atg_str){plain, 0}, &none, &err),
                     ATG_ELIMIT);
    assert_int_equal(blobs_put(&f.b, &f.operation, &f.person,
                               (atg_str){plain, (size_t)BLOB_MAX + 1}, &none, &err),
                     ATG_ELIMIT);
    shelf_close(&f);
}

static void a_sink_that_refuses_stops_it_with_its_own_words(const database *where) {
    shelf f = shelf_open(where);
    hash256 hash = put(&f, picture(1, PICTURE));
    collected c = {.p = got, .refuse = ATG_EDENIED};
    atg_err err = {0};

    assert_int_equal(blobs_get(&f.b, &f.person, &hash, (stream_sink){collect, &c}, &err),
                     ATG_EDENIED);
    assert_string_equal(err.msg, "refused");
    c.refuse = ATG_ENOTFOUND;
    assert_int_equal(blobs_get(&f.b, &f.person, &hash, (stream_sink){collect, &c}, &err),
                     ATG_ENOTFOUND);
    assert_string_equal(err.msg, "refused");
    shelf_close(&f);
}

/* Nothing of the picture stands on the disk as it is. */
static void a_picture_is_sealed_on_disk(const database *where) {
    shelf f = shelf_open(where);
    char paths[FOUND][PATH], bytes[4096];
    struct stat st;
    int fd;

    memset(plain, 'A', PICTURE);
    put(&f, (atg_str){plain, PICTURE});
    assert_int_equal(files(&f, paths), 1);
    assert_int_equal(stat(paths[0], &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    fd = open(paths[0], O_RDONLY | O_CLOEXEC);
    for (ssize_t n; (n = read(fd, bytes, sizeof(bytes))) > 0;)
        assert_null(memmem(bytes, (size_t)n, "AAAAAAAA", 8));
    close(fd);
    shelf_close(&f);
}

static void a_lost_picture_is_found_and_can_be_put_in_again(const database *where) {
    shelf f = shelf_open(where);
    atg_str bytes = picture(3, PICTURE);
    hash256 hash = put(&f, bytes);
    char paths[FOUND][PATH];
    told t;

    if (where->postgres) {
        damage(&f, "DELETE FROM blob_chunk");
    } else {
        assert_int_equal(files(&f, paths), 1);
        assert_int_equal(unlink(paths[0]), 0);
    }
    expect_fault(&f, BLOB_MISSING, &hash);
    put(&f, bytes);
    expect_whole(&f, &hash, bytes);
    assert_int_equal(check(&f, false, &t).pictures, 1);
    assert_int_equal(t.n, 0);
    shelf_close(&f);
}

static void a_picture_that_was_cut_off_is_found_and_can_be_put_in_again(const database *where) {
    shelf f = shelf_open(where);
    atg_str bytes = picture(3, LARGE);
    hash256 hash = put(&f, bytes);
    char paths[FOUND][PATH];
    told t;

    if (where->postgres) {
        damage(&f, "UPDATE blob_chunk SET bytes = substring(bytes FROM 1 FOR 1000) WHERE n = 8");
    } else {
        assert_int_equal(files(&f, paths), 1);
        assert_int_equal(truncate(paths[0], LARGE - 1000), 0);
    }
    expect_fault(&f, BLOB_CHANGED, &hash);
    if (where->postgres)
        damage(&f, "DELETE FROM blob_chunk WHERE n = 8");
    else
        assert_int_equal(truncate(paths[0], 0), 0);
    expect_fault(&f, BLOB_CHANGED, &hash);
    put(&f, bytes);
    expect_whole(&f, &hash, bytes);
    assert_int_equal(check(&f, false, &t).pictures, 1);
    shelf_close(&f);
}

static void change_byte(const char *path, off_t at) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    unsigned char byte;

    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void a_changed_picture_is_found(const database *where) {
    static const off_t places[] = {0, 20, 40, 100000, PICTURE + 100};
    shelf f = shelf_open(where);
    hash256 hash = put(&f, picture(3, PICTURE));
    char paths[FOUND][PATH], sql[200];

    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        for (int twice = 0; twice < 2; twice++) {
            if (where->postgres) {
                snprintf(sql, sizeof(sql),
                         "UPDATE blob_chunk SET bytes = set_byte(bytes, %ld, get_byte(bytes, %ld) "
                         "# 1)",
                         (long)places[i], (long)places[i]);
                damage(&f, sql);
            } else {
                assert_int_equal(files(&f, paths), 1);
                change_byte(paths[0], places[i]);
            }
            if (!twice)
                expect_fault(&f, BLOB_CHANGED, &hash);
        }
    expect_whole(&f, &hash, picture(3, PICTURE));
    shelf_close(&f);
}

/* Rows that somebody with access to the database moved about. */
static void pictures_that_change_places_are_found(const database *where) {
    shelf f = shelf_open(where);
    hash256 a = put(&f, picture(1, 5000)), b = put(&f, picture(2, 5000));
    char paths[FOUND][PATH], spare[PATH + 1];
    told t;
    blob_report r;

    if (where->postgres) {
        damage(&f, "CREATE TEMP TABLE swap AS SELECT * FROM blob_chunk; DELETE FROM blob_chunk; "
                   "INSERT INTO blob_chunk SELECT (SELECT s.stream FROM swap s WHERE s.stream <> "
                   "swap.stream), n, bytes FROM swap; DROP TABLE swap");
    } else {
        assert_int_equal(files(&f, paths), 2);
        snprintf(spare, sizeof(spare), "%s_", paths[0]);
        assert_int_equal(rename(paths[0], spare), 0);
        assert_int_equal(rename(paths[1], paths[0]), 0);
        assert_int_equal(rename(spare, paths[1]), 0);
    }
    r = check(&f, false, &t);
    assert_int_equal(r.changed, 2);
    assert_int_equal(get(&f, &a, &(atg_str){0}, NULL), ATG_EDB);
    assert_int_equal(get(&f, &b, &(atg_str){0}, NULL), ATG_EDB);
    shelf_close(&f);
}

static void rows_that_change_places_are_found(const database *where) {
    shelf f = shelf_open(where);
    hash256 a = put(&f, picture(1, 5000));
    told t;

    put(&f, picture(2, 5000));
    damage(&f, "CREATE TABLE swap AS SELECT hash, stream FROM blob;"
               "UPDATE blob SET stream = hash;"
               "UPDATE blob SET stream = (SELECT s.stream FROM swap s WHERE s.hash <> blob.hash);"
               "DROP TABLE swap");
    if (where->postgres) {
        assert_int_equal(check(&f, false, &t).changed, 2);
        assert_int_equal(get(&f, &a, &(atg_str){0}, NULL), ATG_EDB);
    } else {
        /* the names of the files hold the hash too */
        assert_int_equal(check(&f, false, &t).missing, 2);
    }
    shelf_close(&f);
}

static void an_erased_person_has_no_pictures(const database *where) {
    shelf f = shelf_open(where), g = f;
    hash256 hash = put(&f, picture(1, PICTURE)), kept;
    char paths[FOUND][PATH];
    told t;
    blob_report r;
    atg_err err = {0};

    put(&f, picture(2, LARGE));
    g.person = kept_id();
    must(store_write(g.s, new_person, &g, NULL), &(atg_err){.msg = "person"});
    kept = put(&g, picture(1, PICTURE));
    must(store_write(f.s, erase_person, &f, &err), &err);
    assert_int_equal(get(&f, &hash, &(atg_str){0}, &err), ATG_ENOTFOUND);
    assert_int_equal(blobs_put(&f.b, &f.operation, &f.person, picture(1, 5), &hash, &err),
                     ATG_ENOTFOUND);
    /* told, until they are gone */
    r = check(&f, false, &t);
    assert_int_equal(r.erased, 2);
    assert_int_equal(t.all[0].fault, BLOB_ERASED);
    assert_int_equal(r.removed, 0);
    must(blobs_erase(&f.b, &f.person, &err), &err);
    must(blobs_erase(&f.b, &f.person, &err), &err);
    r = check(&f, false, &t);
    assert_int_equal(t.n, 0);
    assert_int_equal(r.pictures, 1);
    if (!where->postgres)
        assert_int_equal(files(&f, paths), 1);
    expect_whole(&g, &kept, picture(1, PICTURE));
    shelf_close(&f);
}

static void tidying_up_finishes_an_erasure(const database *where) {
    shelf f = shelf_open(where);
    char paths[FOUND][PATH];
    told t;
    blob_report r;
    atg_err err = {0};

    put(&f, picture(1, PICTURE));
    put(&f, picture(2, PICTURE));
    must(store_write(f.s, erase_person, &f, &err), &err);
    if (!where->postgres) {
        /* interrupted: the file was removed, the row was not */
        assert_int_equal(files(&f, paths), 2);
        assert_int_equal(unlink(paths[0]), 0);
    }
    r = check(&f, true, &t);
    assert_int_equal(r.erased, 2);
    assert_int_equal(r.removed, 2);
    check(&f, true, &t);
    assert_int_equal(t.n, 0);
    shelf_close(&f);
}

static void write_file(const shelf *f, const char *name, const char *text) {
    char path[PATH];
    FILE *out;

    snprintf(path, sizeof(path), "%s/pictures/%s", f->where->directory, name);
    out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void what_no_row_names_is_told_and_can_be_removed(const database *where) {
    shelf f = shelf_open(where);
    hash256 hash = put(&f, picture(1, PICTURE));
    char paths[FOUND][PATH];
    told t;
    blob_report r;

    if (where->postgres) {
        damage(&f, "INSERT INTO blob_chunk VALUES "
                   "(decode('0190000000007000800000000000000a', 'hex'), 0, 'x'),"
                   "(decode('0190000000007000800000000000000a', 'hex'), 1, 'y')");
        r = check(&f, false, &t);
        assert_int_equal(r.loose, 1);
    } else {
        assert_int_equal(files(&f, paths), 1);
        write_file(&f, ".new-0190", "half");
        write_file(&f, "stray", "x");
        /* as after a kill: named, and no row yet */
        snprintf(paths[1], PATH, "%s", paths[0]);
        paths[1][strlen(paths[1]) - 1] ^= 1;
        assert_int_equal(link(paths[0], paths[1]), 0);
        r = check(&f, false, &t);
        assert_int_equal(r.loose, 3);
    }
    assert_int_equal(r.removed, 0);
    assert_int_equal(r.pictures, 1);
    assert_int_equal(t.all[0].fault, BLOB_LOOSE);
    assert_true(t.all[0].name[0]);
    r = check(&f, true, &t);
    assert_int_equal(r.removed, r.loose);
    assert_true(r.removed > 0);
    r = check(&f, true, &t);
    assert_int_equal(r.loose, 0);
    expect_whole(&f, &hash, picture(1, PICTURE));
    shelf_close(&f);
}

static void what_somebody_may_still_be_writing_is_left(const database *where) {
    shelf f = shelf_open(where);
    told t;
    blob_report r;

    put(&f, picture(1, LARGE));
    damage(&f, "DELETE FROM blob");
    r = check(&f, true, &t);
    assert_int_equal(r.loose, 1);
    assert_int_equal(r.removed, 0);
    clock_set(clock_now() + INT64_C(3700) * 1000000);
    r = check(&f, true, &t);
    clock_set(-1);
    assert_int_equal(r.removed, 1);
    shelf_close(&f);
}

/* ---- bad days ---- */

static _Noreturn void put_until_killed(const database *where, const shelf *before, int told_to,
                                       uint64_t first) {
    shelf f = reopen(where, before);
    hash256 hash;

    for (uint64_t i = first;; i++) {
        if (blobs_put(&f.b, &f.operation, &f.person, picture(i, i % 7 ? 30000 : LARGE), &hash,
                      NULL) ||
            write(told_to, &hash, sizeof(hash)) < 0)
            _exit(1);
    }
}

/* After any kill every acknowledged picture is whole, and nothing is wrong but what no row names.
 */
static void a_kill_leaves_at_most_what_no_row_names(const database *where) {
    shelf f = shelf_open(where);
    long kills = database_number("ATG_KILLS", KILLS);
    atg_rng rng = atg_rng_seed((uint64_t)getpid());
    uint64_t acknowledged = 0;

    shelf_close(&f);
    for (long k = 0; k < kills; k++) {
        int ends[2];
        pid_t child;
        hash256 hash;
        told t;
        blob_report r;

        assert_int_equal(pipe(ends), 0);
        child = fork();
        if (child == 0)
            put_until_killed(where, &f, ends[1], (uint64_t)k * 1000);
        close(ends[1]);
        nanosleep(&(struct timespec){.tv_nsec = (long)(30 + atg_rng_below(&rng, 200)) * 1000000},
                  NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        f = reopen(where, &f);
        for (; read(ends[0], &hash, sizeof(hash)) == (ssize_t)sizeof(hash); acknowledged++)
            assert_int_equal(get(&f, &hash, &(atg_str){0}, NULL), ATG_OK);
        close(ends[0]);
        r = check(&f, true, &t);
        assert_true(r.missing == 0 && r.changed == 0 && r.erased == 0);
        assert_true(r.pictures >= acknowledged);
        shelf_close(&f);
    }
    assert_true(acknowledged > 0);
}

static void a_full_disk_leaves_nothing(const database *where) {
    shelf f = shelf_open(where);
    struct rlimit limit, small;
    hash256 hash = put(&f, picture(1, PICTURE)), none = {{0}};
    char paths[FOUND][PATH];
    told t;
    atg_err err = {0};

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){.rlim_cur = 2 << 20, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(blobs_put(&f.b, &f.operation, &f.person, picture(2, LARGE), &none, &err),
                     ATG_EIO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(files(&f, paths), 1);
    assert_int_equal(check(&f, false, &t).pictures, 1);
    assert_int_equal(t.n, 0);
    expect_whole(&f, &hash, picture(1, PICTURE));
    put(&f, picture(2, LARGE));
    shelf_close(&f);
}

typedef struct worker {
    pthread_t thread;
    const shelf *f;
    char bytes[20000];
    int failures;
} worker;

static void *put_same(void *user) {
    worker *w = user;
    hash256 hash;

    for (unsigned char i = 0; i < 10; i++) {
        memset(w->bytes, i, sizeof(w->bytes));
        w->failures += blobs_put(&w->f->b, &w->f->operation, &w->f->person,
                                 (atg_str){w->bytes, sizeof(w->bytes)}, &hash, NULL) != ATG_OK;
    }
    return NULL;
}

static void many_put_the_same_pictures_at_once(const database *where) {
    static worker workers[THREADS];
    shelf f = shelf_open(where);
    told t;
    blob_report r;

    for (int i = 0; i < THREADS; i++) {
        workers[i].f = &f;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, put_same, &workers[i]), 0);
    }
    /* tidying up takes nothing away from those who write */
    for (int i = 0; i < 5; i++)
        check(&f, true, &t);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].failures, 0);
    }
    r = check(&f, false, &t);
    assert_int_equal(r.pictures, 10);
    assert_int_equal(t.n, 0);
    shelf_close(&f);
}

static bool stop_at_once(void *user, const char *phase, uint64_t done, uint64_t total) {
    (void)user;
    assert_string_equal(phase, "pictures");
    assert_true(done <= total);
    return done < 1;
}

static void a_check_can_be_stopped(const database *where) {
    shelf f = shelf_open(where);
    atg_progress progress = {.step = stop_at_once};
    blob_checking how = {.progress = &progress};
    blob_report r;

    put(&f, picture(1, 10));
    put(&f, picture(2, 10));
    assert_int_equal(blobs_check(&f.b, &how, &r, NULL), ATG_ECANCEL);
    shelf_close(&f);
}

static void no_failed_allocation_is_lost(const database *where) {
    shelf f = shelf_open(where);
    hash256 hash;
    told t;
    int rc = ATG_ENOMEM;

    for (long n = 0; rc; n++) {
        mem_fail_after(n);
        rc = blobs_put(&f.b, &f.operation, &f.person, picture(1, 100000), &hash, NULL);
        mem_fail_after(-1);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
    }
    rc = ATG_ENOMEM;
    for (long n = 0; rc; n++) {
        mem_fail_after(n);
        rc = get(&f, &hash, &(atg_str){0}, NULL);
        mem_fail_after(-1);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
    }
    check(&f, false, &t);
    assert_int_equal(t.n, 0);
    shelf_close(&f);
}

int main(void) {
    static const database_test tests[] = {
        {"pictures of any length come back", pictures_of_any_length_come_back, ON_BOTH},
        {"the same picture is kept once a person", the_same_picture_is_kept_once_a_person, ON_BOTH},
        {"the hash says nothing outside of the operation",
         the_hash_says_nothing_outside_of_the_operation, ON_BOTH},
        {"what is not there is not found", what_is_not_there_is_not_found, ON_BOTH},
        {"a sink that refuses stops it with its own words",
         a_sink_that_refuses_stops_it_with_its_own_words, ON_BOTH},
        {"a picture is sealed on disk", a_picture_is_sealed_on_disk, ON_SQLITE},
        {"a lost picture is found and can be put in again",
         a_lost_picture_is_found_and_can_be_put_in_again, ON_BOTH},
        {"a picture that was cut off is found and can be put in again",
         a_picture_that_was_cut_off_is_found_and_can_be_put_in_again, ON_BOTH},
        {"a changed picture is found", a_changed_picture_is_found, ON_BOTH},
        {"pictures that change places are found", pictures_that_change_places_are_found, ON_BOTH},
        {"rows that change places are found", rows_that_change_places_are_found, ON_BOTH},
        {"an erased person has no pictures", an_erased_person_has_no_pictures, ON_BOTH},
        {"tidying up finishes an erasure", tidying_up_finishes_an_erasure, ON_BOTH},
        {"what no row names is told and can be removed",
         what_no_row_names_is_told_and_can_be_removed, ON_BOTH},
        {"what somebody may still be writing is left", what_somebody_may_still_be_writing_is_left,
         ON_POSTGRES},
        {"a kill leaves at most what no row names", a_kill_leaves_at_most_what_no_row_names,
         ON_BOTH},
        {"a full disk leaves nothing", a_full_disk_leaves_nothing, ON_SQLITE},
        {"many put the same pictures at once", many_put_the_same_pictures_at_once, ON_BOTH},
        {"a check can be stopped", a_check_can_be_stopped, ON_BOTH},
        {"no failed allocation is lost", no_failed_allocation_is_lost, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
