/* SPDX-License-Identifier: Apache-2.0 */
/* Galleries that are kept ready hold, at every search, what one that is opened then would. */
#include "made_faces.h"
#include "prop.h"

#include <pthread.h>

#include "app/faces_internal.h"
#include "app/faces_standby.h"
#include "app/merge.h"
#include "face/gallery_parts.h"

enum { PEOPLE = 40, PHOTOS = 4, STEPS = 200, THREADS = 4, ROUNDS = 10, TRIES = 4 };

/* ---- a world that changes ---- */

typedef struct someone {
    record *missing, *informant, *photos[PHOTOS];
    uint32_t n;
    bool erased;
} someone;

typedef struct changing {
    made_faces *w;
    prop p;
    uuid other; /* an operation that may share with the first */
    record *other_record, *family;
    someone people[PEOPLE];
    uint32_t n;
    uint32_t applied;
} changing;

/* Some changes are not allowed, and some records are newer than is known here. */
static bool try(changing *x, change_kind what, record **at, record *wanted) {
    int rc = ATG_ECONFLICT;

    wanted->rev = (*at)->rev;
    for (int i = 0; i < TRIES && rc == ATG_ECONFLICT; i++) {
        rc = made_change(&x->w->m, &x->w->m.all, what, wanted, NULL);
        if (rc == ATG_ECONFLICT)
            wanted->rev++;
    }
    if (rc)
        return false;
    *at = wanted;
    x->applied++;
    return true;
}

static bool set_field(changing *x, record **at, const char *name, const char *text) {
    record *r = record_copy(x->w->m.arena, *at);

    if (text)
        made_set(x->w->m.arena, r, name, text);
    else
        r->fields[record_field_of(r->kind, atg_str_of(name))] = (value){.known = false};
    return try(x, CHANGE_EDIT, at, r);
}

static void add_photograph(changing *x, someone *s) {
    const made_cases *m = &x->w->m;
    record *r;

    if (s->n == PHOTOS || s->erased || s->missing->withdrawn ||
        s->missing->state > MISSING_STATE_UNDER_COMPARISON)
        return;
    r = made_photograph(m, s->missing, &m->all, prop_below(&x->p, MADE_DIM), prop_below(&x->p, 60));
    r->operation = s->missing->operation;
    r->fields[PHOTOGRAPH_INFORMANT] = (value){.known = true, .ref = s->informant->id};
    made_set(m->arena, r, "confirmed", "yes");
    made_set(m->arena, r, "obtained", "2026-11-02");
    made_set(m->arena, r, "basis", "consent");
    made_set(m->arena, r, "scope", prop_chance(&x->p, 0.5) ? "sharing_operations" : "operation");
    if (!made_change(m, &m->all, CHANGE_ADD, r, NULL)) {
        s->photos[s->n++] = r;
        x->applied++;
    }
}

static void add_person(changing *x, const uuid *operation) {
    const made_cases *m = &x->w->m;
    someone *s = &x->people[x->n];
    atg_err err = {0};

    if (x->n == PEOPLE)
        return;
    s->missing = made_missing(m, "Berg", "Anna");
    s->missing->operation = *operation;
    made_add(m, s->missing);
    s->informant = record_new(m->arena, RECORD_INFORMANT);
    s->informant->operation = *operation;
    s->informant->file = s->missing->id;
    made_set(m->arena, s->informant, "name", "Ida Berg");
    made_ok(made_change(m, &m->all, CHANGE_ADD, s->informant, &err), &err);
    x->n++;
    add_photograph(x, s);
}

static changing changing_open(const database *where, uint64_t seed) {
    changing x = {.w = made_faces_open(where), .p = prop_seed(seed)};
    const made_cases *m = &x.w->m;

    made_recovery(x.w, &m->all);
    x.other_record = made_operation(m->arena, "Flood");
    made_add(m, x.other_record);
    x.other = x.other_record->id;
    x.family = record_new(m->arena, RECORD_FAMILY);
    x.family->operation = m->operation;
    made_set(m->arena, x.family, "label", "Berg");
    made_add(m, x.family);
    for (uint32_t i = 0; i < 4; i++) {
        add_person(&x, &m->operation);
        add_person(&x, &x.other);
    }
    made_enrol(x.w, NULL);
    return x;
}

static void changing_close(changing *x) {
    made_faces_close(x->w);
}

/* ---- what may happen ---- */

static void share(changing *x) {
    char id[UUID_TEXT + 1];

    uuid_text(&x->w->m.operation, id);
    if (x->other_record->fields[OPERATION_SHARES_WITH].known)
        (void)set_field(x, &x->other_record, "shares_with", NULL);
    else
        (void)set_field(x, &x->other_record, "shares_with",
                        atg_arena_printf(x->w->m.arena, "[\"%s\"]", id).p);
}

static void change_person(changing *x, someone *s) {
    static const char *const sexes[] = {"male", "female", "unknown"};
    static const char *const born[] = {"1984-03-12", "2009", "1990-02"};
    char family[UUID_TEXT + 1];

    uuid_text(&x->family->id, family);
    switch (prop_below(&x->p, 4)) {
    case 0:
        (void)set_field(x, &s->missing, "sex", sexes[prop_below(&x->p, 3)]);
        break;
    case 1:
        (void)set_field(x, &s->missing, "born", born[prop_below(&x->p, 3)]);
        break;
    case 2:
        (void)set_field(x, &s->missing, "last_seen",
                        prop_chance(&x->p, 0.5) ? "2026-11-01" : "2025");
        break;
    default:
        (void)set_field(x, &s->missing, "family", prop_chance(&x->p, 0.7) ? family : NULL);
    }
}

static void change_state(changing *x, someone *s) {
    bool alive = prop_chance(&x->p, 0.4);
    record *r;

    if (alive)
        (void)set_field(x, &s->missing, "alive_on", "2026-11-20");
    r = record_copy(x->w->m.arena, s->missing);
    r->state = alive ? MISSING_STATE_FOUND_ALIVE : prop_below(&x->p, MISSING_STATE_COUNT);
    (void)try(x, CHANGE_STATE, &s->missing, r);
}

static void change_photograph(changing *x, someone *s) {
    record **at;

    if (!s->n)
        return;
    at = &s->photos[prop_below(&x->p, s->n)];
    switch (prop_below(&x->p, 5)) {
    case 0:
        (void)set_field(x, at, "confirmed", prop_chance(&x->p, 0.5) ? "yes" : "no");
        break;
    case 1:
        (void)set_field(x, at, "retouched", prop_chance(&x->p, 0.5) ? "yes" : "no");
        break;
    case 2:
        (void)set_field(x, at, "scope", prop_chance(&x->p, 0.5) ? "sharing_operations" : "agency");
        break;
    case 3:
        (void)set_field(x, at, "what", prop_chance(&x->p, 0.7) ? "face" : "body");
        break;
    default:
        (void)try(x, CHANGE_WITHDRAW, at, record_copy(x->w->m.arena, *at));
    }
}

static void merge(changing *x, someone *s) {
    someone *into = &x->people[prop_below(&x->p, x->n)];
    made_cases *m = &x->w->m;

    if (s->missing->fields[MISSING_MERGED_INTO].known) {
        if (cases_unmerge(m->c, &m->all, &s->missing->id, NULL))
            return;
        s->missing->fields[MISSING_MERGED_INTO] = (value){.known = false};
    } else if (into != s) {
        if (cases_merge(m->c, &m->all, &into->missing->id, &s->missing->id, NULL))
            return;
        s->missing->fields[MISSING_MERGED_INTO] = (value){.known = true, .ref = into->missing->id};
    }
    x->applied++;
}

static void erase(changing *x, someone *s) {
    made_cases *m = &x->w->m;
    bool informant = prop_chance(&x->p, 0.5);

    if (!cases_erase(m->c, &m->all, informant ? &s->informant->id : &s->missing->id, NULL)) {
        s->erased = true;
        x->applied++;
    }
}

static void enrol(changing *x) {
    faces_done done = {0};
    atg_err err = {0};

    made_ok(faces_enrol(x->w->m.c, &x->w->m.operation, &x->w->eye, NULL, &done, &err), &err);
    made_ok(faces_enrol(x->w->m.c, &x->other, &x->w->eye, NULL, &done, &err), &err);
}

/* Anybody; often whoever another was merged into. */
static someone *pick(changing *x) {
    someone *s = &x->people[prop_below(&x->p, x->n)];
    const value *into = &s->missing->fields[MISSING_MERGED_INTO];

    for (uint32_t i = 0; i < x->n && into->known && prop_chance(&x->p, 0.9); i++)
        if (uuid_cmp(&x->people[i].missing->id, &into->ref) == 0)
            return &x->people[i];
    return s;
}

static void anything(changing *x) {
    someone *s = pick(x);
    uint32_t what = prop_below(&x->p, 100);

    if (what < 20)
        change_photograph(x, s);
    else if (what < 35)
        add_photograph(x, s);
    else if (what < 45)
        add_person(x, prop_chance(&x->p, 0.5) ? &x->w->m.operation : &x->other);
    else if (what < 60)
        change_person(x, s);
    else if (what < 75)
        merge(x, s);
    else if (what < 79)
        change_state(x, s);
    else if (what < 82)
        (void)try(x, CHANGE_WITHDRAW, &s->missing, record_copy(x->w->m.arena, s->missing));
    else if (what < 84)
        (void)try(x, CHANGE_WITHDRAW, &s->informant, record_copy(x->w->m.arena, s->informant));
    else if (what < 87)
        erase(x, s);
    else if (what < 95)
        share(x);
    else
        enrol(x);
}

/* ---- equal ---- */

static void compare(const changing *x, const faces_gallery *kept, const faces_gallery *fresh) {
    assert_int_equal(face_gallery_photos(kept->all), face_gallery_photos(fresh->all));
    assert_int_equal(face_gallery_persons(kept->all), face_gallery_persons(fresh->all));
    for (uint32_t person = 0; person < MADE_DIM; person++) {
        float vector[MADE_DIM];
        face_query query = {.embedding = vector,
                            .scopes = 1,
                            .sex = person % 2 ? FACE_SEX_MALE : FACE_SEX_FEMALE,
                            .age_low = 17,
                            .age_high = (int16_t)(18 + 2 * person)};
        face_result a = {0}, b = {0};
        uint32_t among = 0, again = 0;
        atg_err err = {0};

        made_vector(person, 7, vector);
        made_ok(faces_gallery_look(kept, &query, &a, &among, &err), &err);
        made_ok(faces_gallery_look(fresh, &query, &b, &again, &err), &err);
        assert_int_equal(among, again);
        assert_int_equal(a.n, b.n);
        for (uint32_t i = 0; i < a.n; i++)
            if (uuid_cmp(&a.hits[i].person, &b.hits[i].person) != 0 ||
                uuid_cmp(&a.hits[i].photo, &b.hits[i].photo) != 0 ||
                a.hits[i].score != b.hits[i].score || a.hits[i].rank != b.hits[i].rank ||
                a.hits[i].flags != b.hits[i].flags)
                fail_msg("seed %llu: hit %u of %u differs", (unsigned long long)x->p.seed, i, a.n);
    }
}

/* Each photograph is in the right place with its own vector, whatever its person's best is. */
static void compare_photographs(const faces_gallery *kept, const faces_gallery *fresh) {
    for (uint32_t slot = 0; slot < kept->all->n; slot++) {
        const face_photo *photo = face_photo_of(kept->all, slot);
        int64_t other = face_index_get(&fresh->all->by_photo, &photo->id);
        const face_someone *a = &kept->all->people[photo->person], *b;

        assert_true(other >= 0);
        b = &fresh->all->people[face_photo_of(fresh->all, (uint32_t)other)->person];
        assert_memory_equal(&a->is.id, &b->is.id, UUID_SIZE);
        assert_memory_equal(&a->is.family, &b->is.family, UUID_SIZE);
        assert_int_equal(a->is.sex, b->is.sex);
        assert_int_equal(a->is.age_low, b->is.age_low);
        assert_int_equal(a->is.age_high, b->is.age_high);
        assert_memory_equal(face_master_of(kept->all, slot),
                            face_master_of(fresh->all, (uint32_t)other), MADE_DIM * sizeof(float));
    }
}

static void follow(changing *x, faces_gallery *kept) {
    ATG_AUTO(faces_gallery) fresh = NULL;
    atg_err err = {0};

    made_ok(faces_gallery_update(kept, x->w->m.c, NULL, &err), &err);
    made_ok(faces_gallery_open(x->w->m.c, &kept->is, NULL, &fresh, &err), &err);
    compare(x, kept, fresh);
    compare_photographs(kept, fresh);
}

static void it_holds_what_one_that_is_opened_now_would(const database *where) {
    changing x = changing_open(where, 1);
    faces_wanted originals = {x.w->m.operation, x.w->eye.version, MADE_DIM, false};
    faces_wanted retouched = {x.w->m.operation, x.w->eye.version, MADE_DIM, true};
    ATG_AUTO(faces_gallery) kept = NULL;
    ATG_AUTO(faces_gallery) apart = NULL;
    uint32_t most = 0, photos = 0;
    atg_err err = {0};

    made_ok(faces_gallery_new(&originals, &kept, &err), &err);
    made_ok(faces_gallery_new(&retouched, &apart, &err), &err);
    for (int i = 0; i < STEPS; i++) {
        for (uint32_t n = prop_below(&x.p, 4); n; n--)
            anything(&x);
        if (i % 5 == 0)
            enrol(&x);
        follow(&x, kept);
        follow(&x, apart);
        most = kept->all->n > most ? kept->all->n : most;
        photos = apart->all->n > photos ? apart->all->n : photos;
    }
    assert_true(x.applied > STEPS / 3 && most > MADE_PEOPLE && photos > 0);
    changing_close(&x);
}

static void another_network_empties_it(const database *where) {
    changing x = changing_open(where, 2);
    faces_wanted wanted = {x.w->m.operation, x.w->eye.version, MADE_DIM, false};
    ATG_AUTO(faces_gallery) kept = NULL;
    atg_err err = {0};

    made_ok(faces_gallery_open(x.w->m.c, &wanted, NULL, &kept, &err), &err);
    assert_true(kept->all->n >= MADE_PEOPLE);
    x.w->eye.version.pipeline++;
    made_enrol(x.w, NULL);
    follow(&x, kept);
    assert_int_equal(kept->all->n, 0);
    changing_close(&x);
}

/* ---- searching in one that is kept ---- */

static int search(made_faces *w, faces_standby *s, uint32_t best, faces_found *ret, atg_err *err) {
    faces_asking asking = {.wish = {.photograph = w->pm->id, .best = best}};

    *ret = (faces_found){0};
    return faces_standby_search(s, &w->examiner, w->m.arena, &asking, NULL, ret, err);
}

static bool has_lead(made_faces *w, uint32_t person) {
    face_lead *leads;
    uint32_t n = made_leads(w, &w->m.by[ROLE_RECONCILER], &leads);
    bool found = false;

    for (uint32_t i = 0; i < n; i++)
        found |= uuid_cmp(&leads[i].missing.id, &w->missing[person]->id) == 0;
    return found;
}

static faces_standby *standby_of(made_faces *w, const faces_standby_options *o) {
    faces_standby *s = NULL;
    atg_err err = {0};

    made_recovery(w, &w->m.all);
    made_enrol(w, NULL);
    made_ok(faces_standby_open(w->m.c, o, &s, &err), &err);
    return s;
}

static void found_alive(made_faces *w, uint32_t person) {
    atg_err err = {0};

    made_set(w->m.arena, w->missing[person], "alive_on", "2026-11-20");
    made_ok(made_change(&w->m, &w->m.all, CHANGE_EDIT, w->missing[person], &err), &err);
    w->missing[person]->state = MISSING_STATE_FOUND_ALIVE;
    made_ok(made_change(&w->m, &w->m.all, CHANGE_STATE, w->missing[person], &err), &err);
}

static void the_next_search_knows_what_changed(const database *where) {
    made_faces *w = made_faces_open(where);
    ATG_AUTO(faces_standby) s = standby_of(w, &(faces_standby_options){0});
    faces_standby_state state;
    faces_found found;
    atg_err err = {0};

    made_ok(search(w, s, 0, &found, &err), &err);
    assert_int_equal(found.among, MADE_PEOPLE);
    assert_true(has_lead(w, 3));
    found_alive(w, 3);
    made_ok(search(w, s, 0, &found, &err), &err);
    assert_int_equal(found.among, MADE_PEOPLE - 1);
    assert_false(has_lead(w, 3));
    made_ok(cases_erase(w->m.c, &w->m.all, &w->missing[2]->id, &err), &err);
    made_ok(search(w, s, 0, &found, &err), &err);
    assert_int_equal(found.among, MADE_PEOPLE - 2);
    assert_false(has_lead(w, 2));
    made_am(w, 4, 30);
    made_enrol(w, NULL);
    made_ok(search(w, s, 0, &found, &err), &err);
    faces_standby_tell(s, &state);
    assert_int_equal(state.read, 1);
    assert_int_equal(state.templates, MADE_PEOPLE - 1);
    assert_int_equal(found.candidates, MADE_PEOPLE - 2);
    made_faces_close(w);
}

static void who_may_not_search_has_none_read(const database *where) {
    made_faces *w = made_faces_open(where);
    ATG_AUTO(faces_standby) s = standby_of(w, &(faces_standby_options){0});
    faces_asking asking = {.wish = {.photograph = w->pm->id}};
    actor mortuary = w->m.by[ROLE_MORTUARY];
    faces_standby_state state;
    faces_found found;
    atg_err err = {0};

    mortuary.reason = ATG_STR("a test");
    assert_int_equal(faces_standby_search(s, &mortuary, w->m.arena, &asking, NULL, &found, &err),
                     ATG_EDENIED);
    asking.wish.photograph = w->am[3]->id;
    assert_int_equal(faces_standby_search(s, &w->examiner, w->m.arena, &asking, NULL, &found, &err),
                     ATG_EDENIED);
    faces_standby_tell(s, &state);
    assert_int_equal(state.read, 0);
    made_faces_close(w);
}

static void only_so_many_are_kept(const database *where) {
    made_faces *w = made_faces_open(where);
    ATG_AUTO(faces_standby) one = standby_of(w, &(faces_standby_options){.galleries = 1});
    ATG_AUTO(faces_standby) none = NULL;
    faces_asking retouched = {.wish = {.photograph = w->pm->id}, .retouched = true};
    faces_standby_state state;
    faces_found found;
    atg_err err = {0};

    for (int i = 0; i < 2; i++) {
        made_ok(search(w, one, 0, &found, &err), &err);
        made_ok(faces_standby_search(one, &w->examiner, w->m.arena, &retouched, NULL, &found, &err),
                &err);
        assert_int_equal(found.among, 0);
    }
    faces_standby_tell(one, &state);
    assert_int_equal(state.galleries, 1);
    assert_int_equal(state.read, 4);
    made_ok(faces_standby_open(w->m.c, &(faces_standby_options){.memory = 1}, &none, &err), &err);
    made_ok(search(w, none, 0, &found, &err), &err);
    assert_int_equal(found.among, MADE_PEOPLE);
    faces_standby_tell(none, &state);
    assert_int_equal(state.galleries, 0);
    assert_int_equal(state.memory, 0);
    made_faces_close(w);
}

static void one_that_is_idle_is_emptied_and_closed(const database *where) {
    made_faces *w = made_faces_open(where);
    ATG_AUTO(faces_standby) s = standby_of(w, &(faces_standby_options){.idle_s = 60});
    faces_standby_state state;
    faces_found found;
    atg_err err = {0};

    made_ok(search(w, s, 0, &found, &err), &err);
    found_alive(w, 3);
    faces_standby_tidy(s, NULL);
    faces_standby_tell(s, &state);
    assert_int_equal(state.templates, MADE_PEOPLE - 1);
    clock_set(clock_now() + 61 * INT64_C(1000000));
    faces_standby_tidy(s, NULL);
    faces_standby_tell(s, &state);
    assert_int_equal(state.galleries, 0);
    clock_set(-1);
    made_faces_close(w);
}

static bool never(void *user, const char *phase, uint64_t done, uint64_t total) {
    (void)user;
    (void)done;
    (void)total;
    assert_string_equal(phase, "gallery");
    return false;
}

static void one_that_could_not_be_read_is_read_by_the_next(const database *where) {
    made_faces *w = made_faces_open(where);
    ATG_AUTO(faces_standby) s = standby_of(w, &(faces_standby_options){0});
    faces_asking asking = {.wish = {.photograph = w->pm->id}};
    atg_progress stop = {never, NULL};
    faces_standby_state state;
    faces_found found;
    atg_err err = {0};

    assert_int_equal(
        faces_standby_search(s, &w->examiner, w->m.arena, &asking, &stop, &found, &err),
        ATG_ECANCEL);
    faces_standby_tell(s, &state);
    assert_int_equal(state.galleries, 0);
    made_ok(search(w, s, 0, &found, &err), &err);
    /* stopped while it follows a change: nobody searches in it until it has */
    found_alive(w, 3);
    assert_int_equal(
        faces_standby_search(s, &w->examiner, w->m.arena, &asking, &stop, &found, &err),
        ATG_ECANCEL);
    made_ok(search(w, s, 0, &found, &err), &err);
    assert_int_equal(found.among, MADE_PEOPLE - 1);
    made_faces_close(w);
}

typedef struct one_of_many {
    made_faces *w;
    faces_standby *s;
    int failed;
    uint32_t among; /* at the end */
} one_of_many;

static void *keep_searching(void *user) {
    one_of_many *o = user;

    for (int i = 0; i < ROUNDS; i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(MADE_ARENA);
        faces_asking asking = {.wish = {.photograph = o->w->pm->id}, .retouched = i % 3 == 2};
        faces_found found = {0};
        atg_err err = {0};

        o->failed |=
            faces_standby_search(o->s, &o->w->examiner, arena, &asking, NULL, &found, &err);
        if (!asking.retouched)
            o->among = found.among;
    }
    return NULL;
}

static void several_search_at_once(const database *where) {
    made_faces *w = made_faces_open(where);
    ATG_AUTO(faces_standby) s = standby_of(w, &(faces_standby_options){.galleries = 1});
    one_of_many each[THREADS];
    pthread_t threads[THREADS];
    faces_found found;
    atg_err err = {0};

    for (int i = 0; i < THREADS; i++) {
        each[i] = (one_of_many){.w = w, .s = s};
        assert_int_equal(pthread_create(&threads[i], NULL, keep_searching, &each[i]), 0);
    }
    for (uint32_t i = 4; i < MADE_PEOPLE; i++)
        found_alive(w, i);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(each[i].failed, ATG_OK);
        assert_in_range(each[i].among, 4, MADE_PEOPLE);
    }
    made_ok(search(w, s, 0, &found, &err), &err);
    assert_int_equal(found.among, 4);
    made_faces_close(w);
}

int main(void) {
    static const database_test tests[] = {
        {"it holds what one that is opened now would", it_holds_what_one_that_is_opened_now_would,
         ON_BOTH},
        {"another network empties it", another_network_empties_it, ON_BOTH},
        {"the next search knows what changed", the_next_search_knows_what_changed, ON_BOTH},
        {"who may not search has none read", who_may_not_search_has_none_read, ON_BOTH},
        {"only so many are kept", only_so_many_are_kept, ON_BOTH},
        {"one that is idle is emptied and closed", one_that_is_idle_is_emptied_and_closed, ON_BOTH},
        {"one that could not be read is read by the next",
         one_that_could_not_be_read_is_read_by_the_next, ON_BOTH},
        {"several search at once", several_search_at_once, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
