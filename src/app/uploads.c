/* SPDX-License-Identifier: Apache-2.0 */
#include "app/uploads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "app/cases_internal.h"
#include "app/uploads_internal.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/accounts.h"

#define MIB ((uint64_t)1 << 20)

const char *const upload_uses[UPLOAD_USES + 1] = {"picture", "table", "dna",
                                                  "bundle",  "made",  NULL};
const uint64_t upload_most[UPLOAD_USES] = {
    [UPLOAD_PICTURE] = 256 * MIB, [UPLOAD_TABLE] = 64 * MIB,  [UPLOAD_DNA] = 64 * MIB,
    [UPLOAD_BUNDLE] = 512 * MIB,  [UPLOAD_MADE] = 2048 * MIB,
};

const upload_ceiling upload_ceilings[ROLES] = {
    [ROLE_INTERVIEWER] = {256 * MIB, 1024 * MIB, 16},
    [ROLE_MORTUARY] = {256 * MIB, 2048 * MIB, 64},
    [ROLE_ODONTOLOGIST] = {256 * MIB, 1024 * MIB, 16},
    [ROLE_GENETICIST] = {64 * MIB, 256 * MIB, 8},
    [ROLE_EXAMINER] = {256 * MIB, 1024 * MIB, 16},
    [ROLE_RECONCILER] = {64 * MIB, 256 * MIB, 8},
    [ROLE_BOARD] = {512 * MIB, 2048 * MIB, 8},
    [ROLE_LIAISON] = {64 * MIB, 128 * MIB, 4},
    /* who watches and who keeps accounts bring nothing in */
    [ROLE_AUDITOR] = {0, 0, 0},
    [ROLE_ADMINISTRATOR] = {0, 0, 0},
};

enum { HEAD_ARENA = 4096 };
_Static_assert((int)HEAD_ARENA > (int)SPOOL_FACTS, "what stands in a head");
static const uint64_t usual_all = 8192 * MIB, usual_reserve = 64 * MIB;
static const int64_t second = 1000000;

/* ---- the folder ---- */

static int failed(atg_err *err, const char *path) {
    char text[128];

    return atg_fail(err, ATG_EIO, "Cannot use %.200s for uploads: %s", path,
                    strerror_r(errno, text, sizeof(text)));
}

static void path_of(const uploads *u, const uuid *id, char ret[SPOOL_PATH]) {
    char text[UUID_TEXT + 1];

    uuid_text(id, text);
    (void)snprintf(ret, SPOOL_PATH, "%s/%s", u->folder, text);
}

/* One service: two would not know of each other's writers. */
static int take_folder(uploads *u, atg_err *err) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[SPOOL_PATH];
    int n = snprintf(u->folder, sizeof(u->folder), "%s/uploads", cases_directory(u->c));

    if (n >= (int)sizeof(u->folder) || snprintf(path, sizeof(path), "%.*s/lock", n, u->folder) < 0)
        return atg_fail(err, ATG_ELIMIT, "The path of the store is too long");
    if (mkdir(u->folder, 0700) && errno != EEXIST)
        return failed(err, u->folder);
    u->lock_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (u->lock_file < 0)
        return failed(err, path);
    if (fcntl(u->lock_file, F_OFD_SETLK, &whole))
        return atg_fail(err, ATG_ECONFLICT, "Another service takes uploads in %.200s", u->folder);
    return ATG_OK;
}

static int read_key(db *d, void *user, atg_err *err) {
    const uploads *u = user;

    return keys_site(d, cases_keys(u->c), SITE_SPOOL, u->key, err);
}

/* ---- entries ---- */

/* Those that nobody holds are freed with their removal, others when they are let go. */
static void let_go(uploads *u, upload_entry *e) {
    pthread_mutex_lock(&u->lock);
    bool last = --e->holders == 0;

    pthread_mutex_unlock(&u->lock);
    if (!last)
        return;
    spool_close(e->s);
    pthread_mutex_destroy(&e->lock);
    mem_free(e);
}

/* Take out of the table, and its file away.  The entry's lock is not held. */
static void take_out(uploads *u, upload_entry *e) {
    char path[SPOOL_PATH];
    bool found = false;

    pthread_mutex_lock(&u->lock);
    for (uint32_t i = 0; i < u->n && !found; i++)
        if (u->all[i] == e) {
            u->all[i] = u->all[--u->n];
            found = true;
        }
    pthread_mutex_unlock(&u->lock);
    if (!found)
        return;
    pthread_mutex_lock(&e->lock);
    e->gone = true;
    pthread_mutex_unlock(&e->lock);
    path_of(u, &e->info.id, path);
    (void)spool_remove(path, NULL);
    let_go(u, e);
}

/* The table holds it; so does the caller. */
static upload_entry *find(uploads *u, const actor *who, const uuid *id) {
    upload_entry *found = NULL;

    pthread_mutex_lock(&u->lock);
    for (uint32_t i = 0; i < u->n && !found; i++)
        if (uuid_cmp(&u->all[i]->info.id, id) == 0 &&
            uuid_cmp(&u->all[i]->account, &who->account) == 0)
            found = u->all[i];
    if (found)
        found->holders++;
    pthread_mutex_unlock(&u->lock);
    return found;
}

static int no_such(atg_err *err) {
    return atg_fail(err, ATG_ENOTFOUND,
                    "There is no such upload: it was used, given up or too old");
}

static upload_entry *make_entry(void) {
    upload_entry *e = mem_zero(1, sizeof(*e));

    if (!e)
        return NULL;
    pthread_mutex_init(&e->lock, NULL);
    e->holders = 1;
    return e;
}

void uploads_note(uploads *u, upload_entry *e) {
    pthread_mutex_lock(&u->lock);
    e->info.size = spool_size(e->s);
    e->info.expires = clock_now() + u->o.kept_s * second;
    pthread_mutex_unlock(&u->lock);
}

/* ---- facts in the head of a file ---- */

enum { FACTS = UUID_SIZE + 1 + 8 + 8 + 1 + 32, FACTS_MOST = FACTS + UPLOAD_NAME };

static atg_str write_facts(const upload_entry *e, unsigned char ret[FACTS_MOST]) {
    size_t n = strlen(e->info.name);
    unsigned char *p = ret;

    memcpy(p, e->account.bytes, UUID_SIZE);
    p += UUID_SIZE;
    *p++ = (unsigned char)e->info.use;
    bytes_put64(p, e->info.length);
    bytes_put64(p + 8, (uint64_t)e->info.created);
    p += 16;
    *p++ = e->info.has_sha256;
    memcpy(p, e->info.sha256, 32);
    memcpy(p + 32, e->info.name, n);
    return (atg_str){(const char *)ret, FACTS + n};
}

static bool read_facts(upload_entry *e, atg_str facts) {
    const unsigned char *p = (const unsigned char *)facts.p;

    if (facts.n < FACTS || facts.n > FACTS_MOST)
        return false;
    memcpy(e->account.bytes, p, UUID_SIZE);
    p += UUID_SIZE;
    e->info.use = (upload_use)*p++;
    e->info.length = bytes_get64(p);
    e->info.created = (int64_t)bytes_get64(p + 8);
    p += 16;
    e->info.has_sha256 = *p++ & 1;
    memcpy(e->info.sha256, p, 32);
    memcpy(e->info.name, p + 32, facts.n - FACTS);
    return e->info.use < UPLOAD_USES && e->info.length <= upload_most[e->info.use];
}

/* ---- opening and closing ---- */

static int open_file(const uploads *u, upload_entry *e, atg_arena *arena, atg_str *ret,
                     atg_err *err) {
    spool_place at = {.under = u->key, .id = e->info.id};
    char path[SPOOL_PATH];

    path_of(u, &e->info.id, path);
    at.path = path;
    return arena ? spool_open(&at, arena, ret, &e->s, err)
                 : atg_fail(err, ATG_ENOMEM, "Out of memory for an upload");
}

int uploads_reopen(uploads *u, upload_entry *e, atg_err *err) {
    ATG_AUTO(atg_arena) arena = e->s ? NULL : atg_arena_new(HEAD_ARENA);
    atg_str facts;
    int rc;

    if (e->s)
        return ATG_OK;
    rc = open_file(u, e, arena, &facts, err);
    if (rc == ATG_OK)
        uploads_note(u, e);
    return rc;
}

/* A file of bundle bytes beside an upload: of no use any more. */
static bool left_over(const uploads *u, const char *name) {
    const char *dot = strrchr(name, '.');
    char path[SPOOL_PATH];

    if (!dot || strncmp(dot, UPLOADS_FILE, strlen(UPLOADS_FILE)) != 0)
        return false;
    (void)snprintf(path, sizeof(path), "%s/%s", u->folder, name);
    (void)unlink(path);
    return true;
}

/* One that an earlier service left; what cannot be opened any more is of no use to anybody. */
static void find_left(uploads *u, const char *name) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(HEAD_ARENA);
    upload_entry *e = NULL;
    struct stat about;
    char path[SPOOL_PATH];
    atg_str facts;
    uuid id;

    if (left_over(u, name) || !uuid_read(atg_str_of(name), &id))
        return;
    path_of(u, &id, path);
    e = u->n < UPLOADS_MAX && lstat(path, &about) == 0 ? make_entry() : NULL;
    if (!e)
        return;
    e->info.id = id;
    if (open_file(u, e, arena, &facts, NULL) || !read_facts(e, facts)) {
        (void)spool_remove(path, NULL);
        let_go(u, e);
        return;
    }
    e->info.size = spool_size(e->s);
    e->info.expires = ((int64_t)about.st_mtim.tv_sec + u->o.kept_s) * second;
    spool_close(e->s);
    e->s = NULL;
    u->all[u->n++] = e;
}

static int find_all_left(uploads *u, atg_err *err) {
    DIR *dir = opendir(u->folder);

    if (!dir)
        return failed(err, u->folder);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the folder is this thread's own */
    for (const struct dirent *e; (e = readdir(dir));)
        find_left(u, e->d_name);
    (void)closedir(dir);
    (void)uploads_tidy(u);
    return ATG_OK;
}

int uploads_open(cases *c, const uploads_options *o, uploads **ret, atg_err *err) {
    uploads *u = mem_zero(1, sizeof(*u));
    int rc;

    if (!u)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for uploads");
    u->c = c;
    u->o = o ? *o : (uploads_options){.all = 0};
    u->o.all = u->o.all ? u->o.all : usual_all;
    u->o.reserve = u->o.reserve ? u->o.reserve : usual_reserve;
    u->o.kept_s = u->o.kept_s ? u->o.kept_s : UPLOAD_KEPT_S;
    u->lock_file = -1;
    pthread_mutex_init(&u->lock, NULL);
    u->key = mem_secret(sizeof(*u->key));
    rc = u->key ? take_folder(u, err) : atg_fail(err, ATG_ENOMEM, "Out of memory for uploads");
    if (rc == ATG_OK)
        rc = store_read(cases_store(c), read_key, u, err);
    if (rc == ATG_OK)
        rc = find_all_left(u, err);
    if (rc) {
        uploads_close(u);
        return rc;
    }
    *ret = u;
    return ATG_OK;
}

void uploads_close(uploads *u) {
    if (!u)
        return;
    while (u->n)
        let_go(u, u->all[--u->n]);
    if (u->lock_file >= 0)
        (void)close(u->lock_file);
    mem_secret_free(u->key);
    pthread_mutex_destroy(&u->lock);
    mem_free(u);
}

uint32_t uploads_tidy(uploads *u) {
    int64_t now = clock_now();
    uint32_t n = 0;

    for (;;) {
        upload_entry *old = NULL;

        pthread_mutex_lock(&u->lock);
        for (uint32_t i = 0; i < u->n && !old; i++)
            if (u->all[i]->info.expires < now && u->all[i]->holders == 1)
                old = u->all[i];
        if (old)
            old->holders++;
        pthread_mutex_unlock(&u->lock);
        if (!old)
            return n;
        take_out(u, old);
        let_go(u, old);
        n++;
    }
}

/* ---- how much ---- */

typedef struct asking {
    const actor *who;
    atg_arena *arena;
    uint32_t roles;
} asking;

static int read_roles(db *d, void *user, atg_err *err) {
    asking *a = user;
    account_roles *grants;
    uint32_t n;
    int rc = accounts_grants(d, a->arena, &a->who->account, &grants, &n, err);

    for (uint32_t i = 0; i < n && !rc; i++)
        a->roles |= grants[i].roles;
    return rc;
}

static void raise_to(upload_ceiling *c, const upload_ceiling *to) {
    c->one = to->one > c->one ? to->one : c->one;
    c->all = to->all > c->all ? to->all : c->all;
    c->n = to->n > c->n ? to->n : c->n;
}

int upload_holds(uploads *u, const actor *who, upload_state *ret, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(16 * MIB);
    asking a = {.who = who, .arena = arena};
    upload_state s = {.ceiling = {.n = 0}};
    int rc = arena ? store_read(cases_store(u->c), read_roles, &a, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory for an upload");

    if (rc)
        return rc;
    for (int r = 0; r < ROLES; r++)
        if (a.roles >> r & 1)
            raise_to(&s.ceiling, &upload_ceilings[r]);
    pthread_mutex_lock(&u->lock);
    for (uint32_t i = 0; i < u->n; i++)
        if (uuid_cmp(&u->all[i]->account, &who->account) == 0) {
            s.held.all += u->all[i]->info.length;
            s.held.n++;
        }
    pthread_mutex_unlock(&u->lock);
    *ret = s;
    return ATG_OK;
}

static int check_ceilings(const upload_wish *w, const upload_state *s, atg_err *err) {
    uint64_t most = upload_most[w->use];
    uint64_t one = s->ceiling.one < most && w->use != UPLOAD_MADE ? s->ceiling.one : most;

    if (!s->ceiling.one)
        return atg_fail(err, ATG_EDENIED, "No role of this account uploads files");
    if (w->length < 1 || w->length > one)
        return atg_fail(err, ATG_ELIMIT, "A %s of this account has 1 to %llu bytes",
                        upload_uses[w->use], (unsigned long long)one);
    if (s->held.n >= s->ceiling.n || w->length > s->ceiling.all - s->held.all)
        return atg_fail(err, ATG_ELIMIT,
                        "This account has %u uploads of %llu bytes waiting, of %u and %llu that it "
                        "may have: use or give up some",
                        s->held.n, (unsigned long long)s->held.all, s->ceiling.n,
                        (unsigned long long)s->ceiling.all);
    return ATG_OK;
}

/* Of all together, and of the disk.  Under the lock of the table. */
static int check_room(const uploads *u, uint64_t length, atg_err *err) {
    uint64_t held = 0;
    struct statvfs disk;

    for (uint32_t i = 0; i < u->n; i++)
        held += u->all[i]->info.length;
    if (u->n >= UPLOADS_MAX || length > u->o.all || held > u->o.all - length)
        return atg_fail(err, ATG_EFULL,
                        "The service has no room for more uploads at the moment: try again later");
    if (statvfs(u->folder, &disk) == 0 &&
        (uint64_t)disk.f_bavail * disk.f_frsize < spool_disk(length) + u->o.reserve)
        return atg_fail(err, ATG_EFULL, "The disk of the service has no room for this upload");
    return ATG_OK;
}

/* ---- a new one ---- */

static int fill_in(upload_entry *e, const actor *who, const upload_wish *w, atg_err *err) {
    if (w->name.n > UPLOAD_NAME || memchr(w->name.p, '\0', w->name.n))
        return atg_fail(err, ATG_EINVAL, "The name of a file has at most %d bytes", UPLOAD_NAME);
    if (w->sha256.n && !bytes_from_hex(w->sha256, e->info.sha256, sizeof(e->info.sha256)))
        return atg_fail(err, ATG_EINVAL, "A SHA-256 has 64 hexadecimal digits in small letters");
    e->account = who->account;
    e->info.use = w->use;
    e->info.length = w->length;
    e->info.has_sha256 = w->sha256.n > 0;
    if (w->name.n)
        memcpy(e->info.name, w->name.p, w->name.n);
    e->info.created = clock_now();
    return uuid_new(&e->info.id, err);
}

/* The room is counted from here on, before the file takes it. */
static int enter(uploads *u, upload_entry *e, atg_err *err) {
    int rc;

    pthread_mutex_lock(&u->lock);
    rc = check_room(u, e->info.length, err);
    if (rc == ATG_OK) {
        u->all[u->n++] = e;
        e->holders++;
    }
    pthread_mutex_unlock(&u->lock);
    return rc;
}

static int make_file(const uploads *u, upload_entry *e, atg_err *err) {
    unsigned char facts[FACTS_MOST];
    char path[SPOOL_PATH];
    spool_place at = {path, u->key, e->info.id};
    spool *s;
    int rc;

    path_of(u, &e->info.id, path);
    rc = spool_new(&at, write_facts(e, facts), e->info.length, &s, err);
    if (rc == ATG_OK)
        spool_close(s);
    return rc;
}

int upload_new(uploads *u, const actor *who, const upload_wish *w, upload_info *ret, atg_err *err) {
    upload_state state;
    upload_entry *e;
    int rc = upload_holds(u, who, &state, err);

    if (rc == ATG_OK)
        rc = check_ceilings(w, &state, err);
    if (rc)
        return rc;
    e = make_entry();
    if (!e)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an upload");
    (void)uploads_tidy(u);
    rc = fill_in(e, who, w, err);
    e->info.expires = e->info.created + u->o.kept_s * second;
    if (rc == ATG_OK)
        rc = enter(u, e, err);
    if (rc == ATG_OK) {
        rc = make_file(u, e, err);
        if (rc)
            take_out(u, e);
        else
            *ret = e->info;
    }
    let_go(u, e);
    return rc;
}

/* ---- looking ---- */

int upload_look(uploads *u, const actor *who, const uuid *id, upload_info *ret, atg_err *err) {
    upload_entry *e = find(u, who, id);

    if (!e)
        return no_such(err);
    pthread_mutex_lock(&u->lock);
    *ret = e->info;
    pthread_mutex_unlock(&u->lock);
    let_go(u, e);
    return ATG_OK;
}

int upload_list(uploads *u, const actor *who, atg_arena *arena, upload_info **ret, uint32_t *ret_n,
                atg_err *err) {
    upload_info *list = ATG_GET(arena, upload_info, UPLOADS_MAX);
    uint32_t n = 0;

    if (!list)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list of uploads");
    pthread_mutex_lock(&u->lock);
    for (uint32_t i = 0; i < u->n; i++) {
        upload_entry *e = u->all[i];

        if (uuid_cmp(&e->account, &who->account) != 0)
            continue;
        list[n++] = e->info;
    }
    pthread_mutex_unlock(&u->lock);
    *ret = list;
    *ret_n = n;
    return ATG_OK;
}

int upload_remove(uploads *u, const actor *who, const uuid *id, atg_err *err) {
    upload_entry *e = find(u, who, id);
    bool used;

    if (!e)
        return no_such(err);
    pthread_mutex_lock(&e->lock);
    used = e->used;
    pthread_mutex_unlock(&e->lock);
    if (!used)
        take_out(u, e);
    let_go(u, e);
    return used ? atg_fail(err, ATG_ECONFLICT, "This upload is being used") : ATG_OK;
}

/* ---- what the other file needs ---- */

upload_entry *uploads_find(uploads *u, const actor *who, const uuid *id, atg_err *err) {
    upload_entry *e = find(u, who, id);

    if (!e)
        (void)no_such(err);
    return e;
}

void uploads_let_go(uploads *u, upload_entry *e) {
    let_go(u, e);
}

void uploads_take_out(uploads *u, upload_entry *e) {
    take_out(u, e);
}
