/* SPDX-License-Identifier: Apache-2.0 */
/* What was uploaded in pieces is used: as picture, as table, as DNA in each format; read by the
 * worker alone, with its bad days. */
#include "served.h"

#include "worker_pictures.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    PATH_SIZE = 600,
    BODY_SIZE = 800,
    FILE_MAX = 8 << 20,
    MOMENTS = 8,
    WORKERS = 16,
    WORKER_MEMORY = 400 << 20
};

#define HEAD                                                                                       \
    "external,family_name,given_name,sex,born,last_seen,last_place,informant_name,"                \
    "informant_contact,basis\n"
#define ROW "1,Halvorsen,Liv,female,1984-03-12,2026-11-01,Harbour,Ida Berg,+47 22,consent\n"
#define WRONG "2,Berg,Per,purple,1984-03-12,2026-11-01,Harbour,Ida Berg,+47 22,consent\n"
#define SIGNED "agreed_on=2026-11-01&ends_on=2036-11-01&basis=consent&sign=yes"
#define NAMED "&population=norway&theta=0&mutation=equal:0.001&min_frequency=0.001"

static served open_served(const database *where, service_options o) {
    served w;

    o.worker = o.worker ? o.worker : worker_program();
    w = served_open(where, &o);
    arena = w.made.arena;
    return w;
}

/* Upload bytes as somebody, and name the upload. */
static void upload_as(const served *w, int who, const char *use, const char *name, atg_str bytes,
                      char ret[UUID_TEXT + 1]) {
    char body[BODY_SIZE], path[PATH_SIZE];

    snprintf(body, sizeof(body), "{\"for\":\"%s\",\"length\":%zu,\"name\":\"%s\"}", use, bytes.n,
             name);
    ANSWER_AUTO a = MUST(w, 201, "POST", "/api/v1/uploads", who, .body = body);
    snprintf(ret, UUID_TEXT + 1, "%.36s", answer_text(&a, "id"));
    snprintf(path, sizeof(path), "/api/v1/uploads/%s", ret);
    ANSWER_AUTO b =
        MUST(w, 200, "PATCH", path, who, .body = bytes.p, .n_body = bytes.n,
             .header = {"Content-Type: application/partial-upload", "Upload-Offset: 0"});
}

static size_t waiting(const served *w, int who) {
    ANSWER_AUTO a = MUST(w, 200, "GET", "/api/v1/uploads", who);

    return json_array_size(json_object_get(a.json, "uploads"));
}

static atg_str bytes_of(const char *variable, const char *name) {
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment */
    atg_str path = atg_arena_printf(arena, "%s/%s", getenv(variable), name), bytes = {NULL, 0};
    atg_err err = {0};

    made_ok(file_read(arena, path.p, FILE_MAX, &bytes, &err), &err);
    return bytes;
}

/* ---- tables ---- */

static void a_table_that_was_uploaded_comes_in(const database *where) {
    served w = open_served(where, (service_options){.log = NULL});
    char path[PATH_SIZE], check[PATH_SIZE + 20], id[UUID_TEXT + 1], wrong[UUID_TEXT + 1];
    char operation[UUID_TEXT + 1];
    int who = ROLE_INTERVIEWER;

    uuid_text(&w.made.operation, operation);
    upload_as(&w, who, "table", "h.csv", ATG_STR(HEAD ROW), id);
    upload_as(&w, who, "table", "h.csv", ATG_STR(HEAD ROW WRONG), wrong);
    snprintf(path, sizeof(path), "/api/v1/operations/%s/import/missing?source=h.csv&upload=%s",
             operation, wrong);
    ANSWER_AUTO odd = MUST(&w, 422, "POST", path, who);
    assert_int_equal(json_integer_value(json_object_get(odd.json, "line")), 3);
    snprintf(path, sizeof(path), "/api/v1/operations/%s/import/missing?source=h.csv&upload=%s",
             operation, id);
    ANSWER_AUTO other = MUST(&w, 404, "POST", path, SERVED_ALL);
    ANSWER_AUTO both =
        MUST(&w, 400, "POST", path, who, .body = HEAD ROW, .header = {"Content-Type: text/csv"});
    snprintf(check, sizeof(check), "%s&check=yes", path);
    ANSWER_AUTO list = MUST(&w, 200, "POST", check, who);
    /* what was only checked, refused or not allowed still waits */
    assert_int_equal(waiting(&w, who), 2);
    assert_int_equal(made_count(&w.made), 0);
    ANSWER_AUTO done = MUST(&w, 200, "POST", path, who);
    assert_int_equal(json_integer_value(json_object_get(done.json, "added")), 1);
    assert_int_equal(waiting(&w, who), 1);
    ANSWER_AUTO gone = MUST(&w, 404, "POST", path, who);
    served_close(&w);
}

static void only_what_is_whole_and_was_to_be_it_is_used(const database *where) {
    served w = open_served(where, (service_options){.log = NULL});
    char path[PATH_SIZE], id[UUID_TEXT + 1], operation[UUID_TEXT + 1];
    int who = ROLE_INTERVIEWER;

    uuid_text(&w.made.operation, operation);
    upload_as(&w, who, "dna", "h.csv", ATG_STR(HEAD ROW), id);
    snprintf(path, sizeof(path), "/api/v1/operations/%s/import/missing?source=h.csv&upload=%s",
             operation, id);
    ANSWER_AUTO use = MUST(&w, 422, "POST", path, who);
    assert_non_null(strstr(use.body, "dna"));
    ANSWER_AUTO begun =
        MUST(&w, 201, "POST", "/api/v1/uploads", who, .body = "{\"for\":\"table\",\"length\":100}");
    snprintf(path, sizeof(path), "/api/v1/operations/%s/import/missing?source=h.csv&upload=%s",
             operation, answer_text(&begun, "id"));
    ANSWER_AUTO half = MUST(&w, 422, "POST", path, who);
    assert_non_null(strstr(half.body, "0 bytes of 100"));
    snprintf(path, sizeof(path), "/api/v1/operations/%s/import/missing?source=h.csv&upload=%s,%s",
             operation, id, id);
    ANSWER_AUTO two = MUST(&w, 422, "POST", path, who);
    snprintf(path, sizeof(path), "/api/v1/operations/%s/import/missing?source=h.csv&upload=x",
             operation);
    ANSWER_AUTO odd = MUST(&w, 400, "POST", path, who);
    assert_int_equal(waiting(&w, who), 2);
    served_close(&w);
}

/* ---- DNA ---- */

static void new_operation(const served *w, char ret[64]) {
    ANSWER_AUTO a = MUST(w, 201, "POST", "/api/v1/operations", SERVED_ALL,
                         .body = "{\"fields\":{\"name\":\"Another\",\"kind\":\"open\"}}");

    snprintf(ret, 64, "%s", answer_text(&a, "id"));
}

/* Files of DNA into an operation of its own. */
static answer import(const served *w, long status, const char *named, uint32_t n,
                     const char *const names[], const atg_str *files) {
    char path[PATH_SIZE], list[PATH_SIZE / 2] = "", id[UUID_TEXT + 1], operation[64];

    new_operation(w, operation);
    for (uint32_t i = 0; i < n; i++) {
        upload_as(w, SERVED_ALL, "dna", names[i], files[i], id);
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? "," : "", id);
    }
    snprintf(path, sizeof(path), "/api/v1/operations/%s/import?" SIGNED "%s&upload=%s", operation,
             named, list);
    return MUST(w, status, "POST", path, SERVED_ALL);
}

static int64_t count(const answer *a, const char *what) {
    return json_integer_value(json_object_get(a->json, what));
}

static void dna_comes_in_from_each_format(const database *where) {
    served w = open_served(where, (service_options){.log = NULL});
    const atg_str tables[] = {bytes_of("ATG_GOLDEN_DIR", "remains.csv"),
                              bytes_of("ATG_GOLDEN_DIR", "relatives.csv"),
                              bytes_of("ATG_DATA_DIR", "frequencies/norway.json")};
    const atg_str cmf[] = {bytes_of("ATG_CORPUS_DIR", "cmf/remains.xml"), tables[2]};
    const atg_str fam = bytes_of("ATG_CORPUS_DIR", "familias/ferry.fam");
    const atg_str own = bytes_of("ATG_CORPUS_DIR", "operation/documented.json");

    ANSWER_AUTO a =
        import(&w, 200, NAMED, 3,
               (const char *const[]){"remains.csv", "relatives.csv", "norway.json"}, tables);
    assert_int_equal(count(&a, "remains"), 3);
    assert_int_equal(count(&a, "missing"), 2);
    ANSWER_AUTO b =
        import(&w, 200, NAMED, 2, (const char *const[]){"remains.xml", "norway.json"}, cmf);
    assert_true(count(&b, "remains") > 0);
    ANSWER_AUTO c = import(&w, 200, "", 1, (const char *const[]){"ferry.fam"}, &fam);
    assert_true(count(&c, "families") > 0);
    ANSWER_AUTO d = import(&w, 200, "", 1, (const char *const[]){"operation.json"}, &own);
    assert_true(count(&d, "remains") > 0);
    assert_int_equal(waiting(&w, SERVED_ALL), 0);
    served_close(&w);
}

static void dna_that_cannot_be_is_refused_with_its_place(const database *where) {
    served w = open_served(where, (service_options){.log = NULL});
    const char *const names[] = {"broken.csv", "norway.json"};
    const atg_str tables[] = {bytes_of("ATG_GOLDEN_DIR", "broken.csv"),
                              bytes_of("ATG_DATA_DIR", "frequencies/norway.json")};
    const atg_str fam = bytes_of("ATG_CORPUS_DIR", "familias/ferry.fam");
    const atg_str entity = bytes_of("ATG_CORPUS_DIR", "cmf/entities.xml"),
                  both[] = {entity, tables[1]};
    char path[PATH_SIZE], id[UUID_TEXT + 1], operation[64];

    ANSWER_AUTO a = import(&w, 422, NAMED, 2, names, tables);
    assert_int_equal(count(&a, "line"), 3);
    assert_non_null(strstr(a.body, "broken.csv"));
    ANSWER_AUTO b = import(&w, 400, "&population=norway&theta=0", 2, names, tables);
    ANSWER_AUTO c = import(&w, 400, "&theta=0.01", 1, (const char *const[]){"ferry.fam"}, &fam);
    ANSWER_AUTO d = import(&w, 400, "&population=x&theta=2&mutation=none", 2, names, tables);
    ANSWER_AUTO e = import(&w, 400, "&population=x&theta=0&mutation=odd", 2, names, tables);
    ANSWER_AUTO f =
        import(&w, 422, NAMED, 2, (const char *const[]){"entities.xml", "norway.json"}, both);
    ANSWER_AUTO g = import(&w, 422, "", 1, (const char *const[]){"x"},
                           &(atg_str){"\x7f"
                                      "ELF",
                                      4});
    /* a role that takes no DNA in is refused before anything is decoded */
    new_operation(&w, operation);
    upload_as(&w, ROLE_BOARD, "dna", "ferry.fam", fam, id);
    snprintf(path, sizeof(path), "/api/v1/operations/%s/import?" SIGNED "&upload=%s", operation,
             id);
    ANSWER_AUTO h = MUST(&w, 403, "POST", path, ROLE_BOARD);
    served_close(&w);
}

/* ---- pictures ---- */

/* A photograph of somebody dead that has no picture yet. */
static void make_photograph(served *w, char ret[PATH_SIZE]) {
    record *r = made_remains(&w->made, "K1-7");
    char path[PATH_SIZE];

    made_add(&w->made, r);
    snprintf(path, sizeof(path), "/api/v1/files/%.*s/records", ATG_FMT(r->code));
    ANSWER_AUTO a = MUST(w, 201, "POST", path, ROLE_MORTUARY,
                         .body = "{\"kind\":\"photograph\",\"fields\":{\"what\":\"body\"}}");
    snprintf(ret, PATH_SIZE, "/api/v1/records/photograph/%s/picture/image", answer_text(&a, "id"));
}

static answer put_upload(const served *w, long status, const char *place, atg_str bytes) {
    char path[PATH_SIZE + 100], id[UUID_TEXT + 1];

    upload_as(w, ROLE_MORTUARY, "picture", "a.png", bytes, id);
    snprintf(path, sizeof(path), "%s?upload=%s", place, id);
    return MUST(w, status, "PUT", path, ROLE_MORTUARY, .header = {"If-Match: \"1\""});
}

static void a_picture_that_was_uploaded_is_shown(const database *where) {
    served w = open_served(where, (service_options){.log = NULL});
    char place[PATH_SIZE];

    make_photograph(&w, place);
    ANSWER_AUTO odd = put_upload(&w, 422, place, ATG_STR("%PDF-1.7\n%"));
    ANSWER_AUTO a = put_upload(&w, 200, place, quarters_file(".png"));
    assert_int_equal(waiting(&w, ROLE_MORTUARY), 1);
    ANSWER_AUTO got = MUST(&w, 200, "GET", place, ROLE_MORTUARY, .purpose = "to see it");
    assert_true(answer_has(&got, "content-type: image/png"));
    served_close(&w);
}

/* ---- in parts ---- */

typedef struct part {
    const char *range;
    long status;
    size_t from, n;
} part;

/* Of more than a piece, so that it waits on disk. */
static VipsImage *made_noise(void) {
    enum { SIDE = 300, BYTES = 3 * SIDE * SIDE };
    unsigned char *p = ATG_GET(arena, unsigned char, BYTES);
    atg_rng rng = atg_rng_seed(5);

    assert_non_null(p);
    for (size_t i = 0; i < BYTES; i++)
        p[i] = (unsigned char)atg_rng_below(&rng, 256);
    return vips_image_new_from_memory_copy(p, BYTES, SIDE, SIDE, 3, VIPS_FORMAT_UCHAR);
}

static void a_picture_is_given_in_parts(const database *where) {
    served w = open_served(where, (service_options){.log = NULL});
    atg_str bytes = file_of(made_noise(), ".png");
    char place[PATH_SIZE], etag[80] = "";

    make_photograph(&w, place);
    ANSWER_AUTO put = put_upload(&w, 200, place, bytes);
    ANSWER_AUTO all = MUST(&w, 200, "GET", place, ROLE_MORTUARY, .purpose = "to see it");
    const char *tag = strcasestr(all.head, "\netag: ");

    assert_true(all.n_body > 100000);
    assert_true(answer_has(&all, "accept-ranges: bytes"));
    assert_non_null(tag);
    snprintf(etag, sizeof(etag), "If-Range: %.34s", tag + 7);
    const part parts[] = {{"Range: bytes=0-0", 206, 0, 1},
                          {"Range: bytes=65535-65537", 206, 65535, 3},
                          {"Range: bytes=70000-", 206, 70000, all.n_body - 70000},
                          {"Range: bytes=-10", 206, all.n_body - 10, 10},
                          {"Range: bytes=5-99999999", 206, 5, all.n_body - 5},
                          {"Range: bytes=5-4", 200, 0, all.n_body},
                          {"Range: bytes=0-1,3-4", 200, 0, all.n_body},
                          {"Range: lines=0-1", 200, 0, all.n_body},
                          {"Range: bytes=-", 200, 0, all.n_body},
                          {"Range: bytes=99999999-", 416, 0, 0},
                          {"Range: bytes=-0", 416, 0, 0}};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        ANSWER_AUTO a = MUST(&w, parts[i].status, "GET", place, ROLE_MORTUARY,
                             .purpose = "to see it", .header = {parts[i].range, etag});

        if (parts[i].status == 416) {
            assert_non_null(strstr(a.body, "problem:range"));
            continue;
        }
        assert_int_equal(a.n_body, parts[i].n);
        assert_memory_equal(a.body, all.body + parts[i].from, parts[i].n);
    }
    ANSWER_AUTO other = MUST(&w, 200, "GET", place, ROLE_MORTUARY, .purpose = "to see it",
                             .header = {"Range: bytes=0-0", "If-Range: \"another\""});
    ANSWER_AUTO head = MUST(&w, 200, "HEAD", place, ROLE_MORTUARY, .purpose = "to see it");
    served_close(&w);
}

/* ---- the worker's bad days ---- */

/* Not under AddressSanitizer and its kin, which map terabytes. */
static bool memory_is_held(uint64_t memory) {
    worker_pool *one = open_pool((worker_options){.memory = memory});
    worker_health h;

    assert_int_equal(worker_pool_check(one, &h, NULL), ATG_OK);
    worker_pool_close(one);
    return h.hold.memory > 0;
}

static void a_worker_that_needs_too_much_memory_costs_one_request(const database *where) {
    served w = open_served(where, (service_options){.worker_memory = WORKER_MEMORY});
    char place[PATH_SIZE];

    make_photograph(&w, place);
    ANSWER_AUTO much =
        put_upload(&w, 413, place, file_of(made_quarters(9000, 9000), ".png[interlace]"));
    ANSWER_AUTO a = put_upload(&w, 200, place, quarters_file(".png"));
    assert_int_equal(waiting(&w, ROLE_MORTUARY), 1);
    served_close(&w);
}

/* The parent of a process of the worker's program; 0: it is none. */
static pid_t parent_of_worker(const char *pid) {
    char path[300], text[600];
    const char *behind = NULL;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    f = fopen(path, "re");
    if (!f)
        return 0;
    behind = fgets(text, sizeof(text), f) ? strstr(text, "(antigone-worke") : NULL;
    behind = behind ? strchr(behind, ')') : NULL;
    fclose(f);
    /* ") S 4711 ...": its parent */
    return behind && strlen(behind) > 4 ? (pid_t)strtol(behind + 4, NULL, 10) : 0;
}

static bool is_among(pid_t pid, const pid_t *list, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == pid)
            return true;
    return false;
}

/* Of this process's workers: those that stand between, and those that do the work. */
static uint32_t workers_of_ours(pid_t ret[WORKERS]) {
    uint32_t n = 0, before;

    do { /* one generation after the other */
        DIR *dir = opendir("/proc");

        before = n;
        assert_non_null(dir);
        for (const struct dirent *e;
             n < WORKERS && (e = readdir(dir));) { /* NOLINT(concurrency-mt-unsafe) */
            pid_t pid = (pid_t)strtol(e->d_name, NULL, 10), parent;

            if (pid <= 0 || is_among(pid, ret, n))
                continue;
            parent = parent_of_worker(e->d_name);
            if (parent && (parent == getpid() || is_among(parent, ret, n)))
                ret[n++] = pid;
        }
        closedir(dir);
    } while (n > before);
    return n;
}

typedef struct bad_day {
    served w;
    const char *place;
    atg_str bytes;
    long status;
    pthread_t thread;
} bad_day;

static void *put_large(void *user) {
    bad_day *d = user;
    char path[PATH_SIZE + 100], id[UUID_TEXT + 1];

    upload_as(&d->w, ROLE_MORTUARY, "picture", "a.png", d->bytes, id);
    snprintf(path, sizeof(path), "%s?upload=%s", d->place, id);
    ANSWER_AUTO a =
        served_ask(&d->w, &(ask){"PUT", path, ROLE_MORTUARY, .header = {"If-Match: \"1\""}});
    d->status = a.status;
    return NULL;
}

/* Use a large picture, and strike the workers so long behind their start; meanwhile others are
 * answered.  The status of the answer. */
static long strike_once(served *w, int sig, const char *place, atg_str bytes, int milliseconds) {
    bad_day d = {.w = *w, .place = place, .bytes = bytes};
    pid_t pids[WORKERS];
    uint32_t n = 0;

    d.w.curl = curl_easy_init();
    assert_int_equal(pthread_create(&d.thread, NULL, put_large, &d), 0);
    for (int i = 0; i < 3000 && !(n = workers_of_ours(pids)); i++)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_true(n > 0);
    usleep((useconds_t)milliseconds * 1000);
    for (uint32_t i = 0; i < n; i++)
        (void)kill(pids[i], sig); /* one may end with the one before */
    ANSWER_AUTO well = MUST(w, 200, "GET", "/health", SERVED_NOBODY);
    ANSWER_AUTO list = MUST(w, 200, "GET", "/api/v1/uploads", ROLE_MORTUARY);
    pthread_join(d.thread, NULL);
    curl_easy_cleanup(d.w.curl);
    return d.status;
}

/* Milliseconds that it takes here when nobody strikes, the worker being there. */
static uint32_t unhindered(served *w, atg_str bytes) {
    char place[PATH_SIZE];
    int64_t begun = 0;

    for (int i = 0; i < 2; i++) {
        make_photograph(w, place);
        begun = clock_now();
        assert_int_equal(strike_once(w, 0, place, bytes, 0), 200);
    }
    return (uint32_t)((clock_now() - begun) / 1000);
}

/* A worker that is killed, or stopped so that it never ends, while it decodes. */
static void strike(const database *where, int sig, long least, long most) {
    served w = open_served(where, (service_options){.listen = NULL});
    atg_str bytes = file_of(made_quarters(9000, 9000), ".png");
    uint32_t took = unhindered(&w, bytes);
    service_options patient = {.worker = worker_program(), .decode_ms = 4 * took + 1000};
    char place[PATH_SIZE];
    long status = 200;

    served_stop(&w);
    served_start(&w, &patient);
    /* one that was done before the blow is struck at another moment */
    for (uint32_t k = MOMENTS - 1; k > 0 && status == 200; k--) {
        make_photograph(&w, place);
        status = strike_once(&w, sig, place, bytes, (int)(took * k / MOMENTS));
    }
    if (status < least || status > most)
        fail_msg("%ld", status);
    /* what was uploaded is still there, and the next one is decoded */
    assert_int_equal(waiting(&w, ROLE_MORTUARY), 1);
    ANSWER_AUTO a = put_upload(&w, 200, place, quarters_file(".png"));
    served_close(&w);
}

static void a_worker_that_is_killed_costs_one_request(const database *where) {
    strike(where, SIGKILL, 503, 503);
}

static void a_worker_that_never_ends_costs_one_request(const database *where) {
    strike(where, SIGSTOP, 413, 503);
}

int main(void) {
    static const database_test tests[] = {
        {"a table that was uploaded comes in", a_table_that_was_uploaded_comes_in, ON_BOTH},
        {"only what is whole, and was to be it, is used",
         only_what_is_whole_and_was_to_be_it_is_used, ON_SQLITE},
        {"DNA comes in from each format", dna_comes_in_from_each_format, ON_BOTH},
        {"DNA that cannot be is refused with its place",
         dna_that_cannot_be_is_refused_with_its_place, ON_SQLITE},
        {"a picture that was uploaded is shown", a_picture_that_was_uploaded_is_shown, ON_BOTH},
        {"a picture is given in parts", a_picture_is_given_in_parts, ON_BOTH},
        {"a worker that is killed costs one request", a_worker_that_is_killed_costs_one_request,
         ON_SQLITE},
        {"a worker that never ends costs one request", a_worker_that_never_ends_costs_one_request,
         ON_SQLITE},
        {"a worker that needs too much memory costs one request",
         a_worker_that_needs_too_much_memory_costs_one_request, ON_SQLITE},
    };
    size_t n = sizeof(tests) / sizeof(*tests);
    int failed;

    /* Meson takes cmocka's way of saying "skipped" for a failure: so it is left out */
    if (!memory_is_held(WORKER_MEMORY)) {
        fprintf(stderr, "Nothing holds a worker's memory in this build: 1 test is skipped\n");
        n--; /* the last */
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    signal(SIGPIPE, SIG_IGN);
    if (VIPS_INIT("test"))
        return 1;
    failed = database_run(tests, n);
    vips_shutdown();
    return failed;
}
