/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: the whole table against tests/golden-numbers/rights.csv, cell by cell, and what
 * must hold of it whatever stands in it. */
#include "testing.h"

#include "app/rights.h"
#include "base/file.h"

#include <stdio.h>

static atg_str golden(atg_arena *arena) {
    const char *folder = getenv("ATG_NUMBERS_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    atg_str path, text;

    assert_non_null(folder);
    path = atg_arena_printf(arena, "%s/rights.csv", folder);
    assert_int_equal(file_read(arena, path.p, 1 << 20, &text, NULL), ATG_OK);
    return text;
}

static void the_printed_table_is_the_reviewed_one(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(8 << 20);
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 20);
    atg_str want, is;

    (void)state;
    want = golden(arena);
    rights_table(buf);
    assert_int_equal(atg_buf_take(buf, &is, NULL), ATG_OK);
    for (int n = 1; want.n || is.n; n++) {
        atg_str a = atg_str_cut(&want, '\n'), b = atg_str_cut(&is, '\n');

        if (!atg_str_eq(a, b))
            fail_msg("rights.csv:%d says\n  %.*s\nand the program\n  %.*s", n, ATG_FMT(a),
                     ATG_FMT(b));
    }
}

/* One row of the file. */
typedef struct row {
    atg_str action, states;
    int kind, in;
    atg_str cells[ROLES + 1];
} row;

static row row_of(atg_str text) {
    row r;

    r.action = atg_str_cut(&text, ',');
    r.kind = record_kind_of(atg_str_cut(&text, ','));
    r.in = record_kind_of(atg_str_cut(&text, ','));
    r.states = atg_str_cut(&text, ',');
    for (int c = 0; c <= ROLES; c++)
        r.cells[c] = atg_str_cut(&text, ',');
    assert_int_equal(text.n, 0);
    return r;
}

static int action_of(atg_str name) {
    for (int a = 0; a < ACTIONS; a++)
        if (atg_str_eq(name, atg_str_of(action_names[a])))
            return a;
    return -1;
}

/* What the file says, spread out again; with RIGHTS_CODE: it needs a second factor. */
static uint32_t wanted[ACTIONS][RECORD_KINDS][RECORD_KINDS][32];
static uint32_t moving[RECORD_KINDS][32][32];

static uint32_t yes_of(const row *r) {
    uint32_t who = 0;

    for (int c = 0; c <= ROLES; c++) {
        bool code = atg_str_eq(r->cells[c], ATG_STR("code"));
        bool yes = code || atg_str_eq(r->cells[c], ATG_STR("yes"));

        assert_true(yes || atg_str_eq(r->cells[c], ATG_STR("-")));
        if (yes)
            who |= 1U << c;
        if (code)
            who |= (uint32_t)RIGHTS_CODE;
    }
    return who;
}

static int n_states(int in) {
    int n = 0;

    while (in >= 0 && record_types[in].states[n])
        n++;
    return n;
}

static void spread_action(const row *r, int a) {
    uint32_t who = yes_of(r);
    atg_str rest = r->states;
    int n = n_states(r->in);

    if (r->kind < 0) {
        for (int k = 0; k < RECORD_KINDS; k++)
            wanted[a][k][k][0] = who;
        return;
    }
    if (!n || atg_str_eq(rest, ATG_STR("*"))) {
        for (int s = 0; s < n || s == 0; s++)
            wanted[a][r->kind][r->in][s] = who;
        return;
    }
    while (rest.n) {
        int s = record_word(record_types[r->in].states, atg_str_cut(&rest, '|'));

        assert_true(s >= 0);
        wanted[a][r->kind][r->in][s] = who;
    }
}

static void check_look(const row *r) {
    static const char *const words[] = {"no", "reason", "read", "write", "write with a reason"};
    int class = -1;

    for (int c = 0; c < CLASSES; c++)
        if (atg_str_eq(r->states, atg_str_of(class_names[c])))
            class = c;
    assert_true(class >= 0);
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++) {
        if (record_field((record_kind)r->kind, f)->class != (field_class) class)
            continue;
        for (int c = 0; c <= ROLES; c++) {
            access_right x = rights_field_in(1U << c, (record_kind)r->kind, r->in, f);
            bool reason = rights_reason((record_kind)r->kind, r->in, f) && x == ACCESS_WRITE;

            if (!atg_str_eq(r->cells[c], atg_str_of(words[reason ? 4 : (int)x])))
                fail_msg("look %s.%s in %s: column %d is %.*s", record_types[r->kind].name,
                         record_field((record_kind)r->kind, f)->name, record_types[r->in].name, c,
                         ATG_FMT(r->cells[c]));
        }
    }
}

static void read_golden(void) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(8 << 20);
    atg_str rest = golden(arena);

    memset(wanted, 0, sizeof(wanted));
    memset(moving, 0, sizeof(moving));
    atg_str_cut(&rest, '\n');
    while (rest.n) {
        row r = row_of(atg_str_cut(&rest, '\n'));

        if (atg_str_eq(r.action, ATG_STR("look"))) {
            check_look(&r);
        } else if (atg_str_eq(r.action, ATG_STR("move"))) {
            int from = record_word(record_types[r.kind].states, atg_str_cut(&r.states, '>'));
            int to = record_word(record_types[r.kind].states, r.states);

            assert_true(from >= 0 && to >= 0);
            moving[r.kind][from][to] = yes_of(&r);
        } else {
            int a = action_of(r.action);

            assert_true(a >= 0);
            spread_action(&r, a);
        }
    }
}

static bool stands_in(int kind, int in) {
    return record_types[kind].is_file ? kind == in : record_types[kind].in >> in & 1;
}

/* Call for each action, kind, kind of file, and its states, or once with -1 where it has none. */
typedef void cell_fn(action a, int kind, int in, int state);

static void each_state(action a, int kind, int in, cell_fn *fn) {
    int n = n_states(in);

    if (!n)
        fn(a, kind, in, -1);
    for (int s = 0; s < n; s++)
        fn(a, kind, in, s);
}

static void each_cell(cell_fn *fn) {
    for (int a = 0; a < ACTIONS; a++)
        for (int kind = 0; kind < RECORD_KINDS; kind++)
            for (int in = 0; in < RECORD_KINDS; in++)
                each_state((action)a, kind, in, fn);
}

static uint32_t cells;

static void cell_holds(action a, int kind, int in, int state) {
    uint32_t want =
        a >= ACTION_IMPORT ? wanted[a][0][0][0] : wanted[a][kind][in][state < 0 ? 0 : state];

    for (int c = 0; c <= ROLES; c++, cells++) {
        atg_err err = {0};
        bool yes = want >> c & 1, code = want & RIGHTS_CODE;
        bool with = rights_in(1U << c | RIGHTS_CODE, a, kind, in, state, NULL) == ATG_OK;
        bool without = rights_in(1U << c, a, kind, in, state, &err) == ATG_OK;

        if (with != yes || without != (yes && !code) ||
            (!without && rights_wants_code(&err) != (yes && code)))
            fail_msg("%s %s in %s, state %d, column %d: %d, %d, %s", action_names[a],
                     record_types[kind].name, record_types[in].name, state, c, with, without,
                     err.msg);
    }
}

/* Role x action x kind x kind of file x state, with and without a second factor.  What the file
 * does not name nobody may. */
static void every_cell_of_the_table_holds(void **state) {
    (void)state;
    read_golden();
    each_cell(cell_holds);
    assert_true(cells > 100000);
}

static bool moves(uint32_t roles, int kind, int from, int to, atg_err *err) {
    return rights_state(roles, (record_kind)kind, (uint32_t)from, (uint32_t)to, err) == ATG_OK;
}

static void every_move_of_the_table_holds_and_no_other(void **state) {
    (void)state;
    read_golden();
    for (int kind = 0; kind < RECORD_KINDS; kind++)
        for (int from = 0; from < n_states(kind); from++)
            for (int to = 0; to < n_states(kind); to++)
                for (int c = 0; c <= ROLES; c++) {
                    atg_err err = {0};
                    uint32_t want = moving[kind][from][to];
                    bool yes = want >> c & 1, code = want & RIGHTS_CODE;
                    bool with = moves(1U << c | RIGHTS_CODE, kind, from, to, NULL);
                    bool without = moves(1U << c, kind, from, to, &err);

                    if (with != yes || without != (yes && !code) ||
                        (!without && rights_wants_code(&err) != (yes && code)))
                        fail_msg("%s %d > %d, column %d: %d, %d, %s", record_types[kind].name, from,
                                 to, c, with, without, err.msg);
                }
}

/* ---- properties ---- */

static bool may(int r, action a, int kind, int in, int state) {
    return rights_in(1U << r | RIGHTS_CODE, a, kind, in, state, NULL) == ATG_OK;
}

static access_right best(int r, int kind, int in) {
    access_right x = ACCESS_NONE;

    for (uint32_t f = 0; f < record_types[kind].n_fields; f++) {
        access_right own = rights_field_in(1U << r, (record_kind)kind, in, f);

        x = own > x ? own : x;
    }
    return x;
}

static void reads_it(action a, int kind, int in, int state) {
    for (int r = 0; r < ROLES && a < ACTION_IMPORT && a != ACTION_ERASE; r++)
        if (may(r, a, kind, in, state) && !may(r, ACTION_READ, kind, in, state))
            fail_msg("%s may %s a %s in a %s without reading it", role_names[r], action_names[a],
                     record_types[kind].name, record_types[in].name);
}

static void nobody_changes_what_they_cannot_read(void **state) {
    (void)state;
    each_cell(reads_it);
}

static void writes_what_it_needs(int r, int kind, int in) {
    for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
        if (record_field((record_kind)kind, f)->required &&
            rights_field_in(1U << r, (record_kind)kind, in, f) != ACCESS_WRITE)
            fail_msg("%s adds a %s in a %s but may not write its %s", role_names[r],
                     record_types[kind].name, record_types[in].name,
                     record_field((record_kind)kind, f)->name);
}

static void writes_it(action a, int kind, int in, int state) {
    for (int r = 0; r < ROLES; r++) {
        if (a == ACTION_EDIT && may(r, a, kind, in, state) && best(r, kind, in) != ACCESS_WRITE)
            fail_msg("%s edits a %s in a %s without a field to write", role_names[r],
                     record_types[kind].name, record_types[in].name);
        if (a == ACTION_ADD && may(r, a, kind, in, state))
            writes_what_it_needs(r, kind, in);
    }
}

static void who_adds_a_record_may_write_all_that_it_needs(void **state) {
    (void)state;
    each_cell(writes_it);
}

static void only_reads(action a, int kind, int in, int state) {
    if (a != ACTION_READ && a != ACTION_AUDIT && may(ROLE_AUDITOR, a, kind, in, state))
        fail_msg("the auditor may %s", action_names[a]);
}

static void an_auditor_writes_nothing(void **state) {
    (void)state;
    each_cell(only_reads);
    for (int kind = 0; kind < RECORD_KINDS; kind++)
        for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
            assert_true(rights_field(1U << ROLE_AUDITOR, (record_kind)kind, f) != ACCESS_WRITE);
}

static void an_administrator_reads_nothing_about_a_person(void **state) {
    (void)state;
    for (int kind = 0; kind < RECORD_KINDS; kind++)
        for (int in = 0; in < RECORD_KINDS; in++)
            for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
                assert_true(kind == RECORD_OPERATION ||
                            rights_field_in(1U << ROLE_ADMINISTRATOR, (record_kind)kind, in, f) ==
                                ACCESS_NONE);
}

/* The roles that see a class without giving a reason. */
static uint32_t seen_by(int kind, int in, field_class class, access_right least) {
    uint32_t who = 0;

    for (int r = 0; r < ROLES; r++)
        for (uint32_t f = 0; f < record_types[kind].n_fields; f++) {
            access_right x = rights_field_in(1U << r, (record_kind)kind, in, f);

            if (record_field((record_kind)kind, f)->class == class && x >= least &&
                (least == ACCESS_REASON || !rights_reason((record_kind)kind, in, f)))
                who |= 1U << r;
        }
    return who;
}

#define R(x) (1U << ROLE_##x)

static void names_are_for_those_who_speak_with_the_family_and_for_the_board(void **state) {
    (void)state;
    assert_int_equal(seen_by(RECORD_MISSING, RECORD_MISSING, CLASS_NAME, ACCESS_READ),
                     R(INTERVIEWER) | R(BOARD) | R(LIAISON));
    assert_int_equal(seen_by(RECORD_FAMILY, RECORD_FAMILY, CLASS_NAME, ACCESS_READ),
                     R(INTERVIEWER) | R(BOARD) | R(LIAISON));
    for (int kind = 0; kind < RECORD_KINDS; kind++)
        for (int in = 0; in < RECORD_KINDS; in++) {
            uint32_t who = seen_by(kind, in, CLASS_NAME, ACCESS_READ);

            /* a document found on a body is read by who found it */
            if (stands_in(kind, in))
                assert_false(who & ~(R(INTERVIEWER) | R(BOARD) | R(LIAISON) | R(MORTUARY)));
            if (in != RECORD_REMAINS && in != RECORD_OPERATION)
                assert_false(who & R(MORTUARY));
        }
    /* those who compare give a reason */
    assert_int_equal(seen_by(RECORD_MISSING, RECORD_MISSING, CLASS_NAME, ACCESS_REASON),
                     R(INTERVIEWER) | R(BOARD) | R(LIAISON) | R(ODONTOLOGIST) | R(GENETICIST) |
                         R(EXAMINER) | R(RECONCILER));
}

static void genotypes_and_what_does_not_fit_a_family_are_the_geneticists(void **state) {
    (void)state;
    for (int kind = 0; kind < RECORD_KINDS; kind++)
        for (int in = 0; in < RECORD_KINDS; in++)
            assert_false(seen_by(kind, in, CLASS_GENOTYPE, ACCESS_REASON) & ~R(GENETICIST));
    assert_int_equal(seen_by(RECORD_FAMILY, RECORD_FAMILY, CLASS_FINDING, ACCESS_REASON),
                     R(GENETICIST));
}

static void a_picture_of_the_dead_is_shown_to_nobody_without_a_reason(void **state) {
    (void)state;
    assert_int_equal(seen_by(RECORD_PHOTOGRAPH, RECORD_REMAINS, CLASS_PICTURE, ACCESS_READ), 0);
    assert_int_equal(seen_by(RECORD_PHOTOGRAPH, RECORD_REMAINS, CLASS_PICTURE, ACCESS_REASON),
                     R(MORTUARY) | R(ODONTOLOGIST) | R(EXAMINER) | R(RECONCILER) | R(BOARD));
    assert_int_equal(seen_by(RECORD_PHOTOGRAPH, RECORD_MISSING, CLASS_PICTURE, ACCESS_READ),
                     R(INTERVIEWER));
}

/* Rule 6: nothing that a liaison writes or hands out can hold a picture, a genotype or a list of
 * candidates. */
static void a_notification_has_no_room_for_pictures_genotypes_or_candidates(void **state) {
    (void)state;
    for (uint32_t f = 0; f < record_types[RECORD_NOTIFICATION].n_fields; f++) {
        const field_type *field = record_field(RECORD_NOTIFICATION, f);

        assert_true(field->kind != FIELD_BLOB && field->kind != FIELD_REF &&
                    field->kind != FIELD_JSON);
    }
    assert_true(rights_action(R(LIAISON), ACTION_READ, RECORD_HYPOTHESIS, -1, NULL) == ATG_EDENIED);
    assert_true(rights_action(R(LIAISON), ACTION_READ, RECORD_EVIDENCE, -1, NULL) == ATG_EDENIED);
    assert_true(rights_action(R(LIAISON), ACTION_READ, RECORD_PROFILE, -1, NULL) == ATG_EDENIED);
}

/* Rule 7: on which side somebody stood changes nothing. */
static void the_side_of_the_dead_is_a_word_among_others(void **state) {
    int f = record_field_of(RECORD_REMAINS, ATG_STR("affiliation"));
    int clothing = record_field_of(RECORD_REMAINS, ATG_STR("clothing"));

    (void)state;
    assert_true(f >= 0 && clothing >= 0);
    assert_false(record_field(RECORD_REMAINS, (uint32_t)f)->required);
    for (int r = 0; r < ROLES; r++)
        assert_int_equal(rights_field(1U << r, RECORD_REMAINS, (uint32_t)f),
                         rights_field(1U << r, RECORD_REMAINS, (uint32_t)clothing));
}

static uint32_t movers_to(record_kind kind, uint32_t to) {
    uint32_t who = 0;

    for (uint32_t from = 0; record_types[kind].states[from]; from++)
        for (int c = 0; c <= ROLES; c++)
            if (moves(1U << c | RIGHTS_CODE, (int)kind, (int)from, (int)to, NULL) && from != to)
                who |= 1U << c;
    return who;
}

static void the_board_identifies_and_the_liaison_tells(void **state) {
    (void)state;
    for (uint32_t from = 0; from < REMAINS_STATE_COUNT; from++)
        for (int c = 0; c <= ROLES; c++)
            if (moves(1U << c | RIGHTS_CODE, RECORD_REMAINS, (int)from, REMAINS_STATE_IDENTIFIED,
                      NULL) &&
                from != REMAINS_STATE_RELEASED)
                assert_int_equal(c, ROLE_BOARD);
    assert_int_equal(movers_to(RECORD_MISSING, MISSING_STATE_IDENTIFIED), R(BOARD));
    assert_int_equal(rights_state(R(BOARD), RECORD_MISSING, MISSING_STATE_IDENTIFIED,
                                  MISSING_STATE_FAMILY_TOLD, NULL),
                     ATG_EDENIED);
    assert_int_equal(rights_state(R(LIAISON), RECORD_MISSING, MISSING_STATE_IDENTIFIED,
                                  MISSING_STATE_FAMILY_TOLD, NULL),
                     ATG_OK);
    assert_int_equal(movers_to(RECORD_REMAINS, REMAINS_STATE_RELEASED), R(MORTUARY));
}

static void every_state_is_reached_and_left(void **state) {
    (void)state;
    for (int kind = 0; kind < RECORD_KINDS; kind++)
        for (uint32_t s = 0; record_types[kind].states[s]; s++) {
            bool left = false;

            for (uint32_t to = 0; record_types[kind].states[to]; to++)
                for (int r = 0; r < ROLES; r++)
                    left |= moves(1U << r | RIGHTS_CODE, kind, (int)s, (int)to, NULL);
            assert_true(left);
            assert_true(s == 0 || movers_to((record_kind)kind, s));
        }
}

/* Someone found alive is nobody's to search for: nothing is added but requests about their data. */
static void a_closed_file_takes_no_more_data(void **state) {
    static const int closed[] = {MISSING_STATE_CLOSED, MISSING_STATE_FOUND_ALIVE,
                                 MISSING_STATE_WITHDRAWN};

    (void)state;
    for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++)
        for (int kind = 0; kind < RECORD_KINDS; kind++) {
            bool may =
                rights_in(UINT32_MAX, ACTION_ADD, kind, RECORD_MISSING, closed[i], NULL) == ATG_OK;

            assert_int_equal(may, kind == RECORD_DISCLOSURE || (kind == RECORD_NOTIFICATION &&
                                                                closed[i] == MISSING_STATE_CLOSED));
        }
}

static void matcher_cell(action a, int kind, int in, int state) {
    static const int own[] = {RECORD_HYPOTHESIS, RECORD_EVIDENCE, RECORD_FACE_TEMPLATE,
                              RECORD_FACE_CANDIDATE, RECORD_FACE_CALIBRATION};

    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
        if (kind == own[i])
            return;
    if (a == ACTION_MATCH)
        return;
    assert_int_equal(rights_in(RIGHTS_MATCHER, a, kind, in, state, NULL), ATG_EDENIED);
}

static void the_matcher_writes_what_is_computed_and_nothing_else(void **state) {
    (void)state;
    each_cell(matcher_cell);
    for (int kind = 0; kind < RECORD_KINDS; kind++)
        for (uint32_t from = 0; record_types[kind].states[from]; from++)
            for (uint32_t to = 0; record_types[kind].states[to]; to++)
                assert_int_equal(rights_state(RIGHTS_MATCHER, (record_kind)kind, from, to, NULL),
                                 ATG_EDENIED);
}

static void somebody_without_a_role_may_nothing(void **state) {
    (void)state;
    for (int a = 0; a < ACTIONS; a++)
        for (int kind = -1; kind < RECORD_KINDS; kind++)
            assert_int_equal(rights_action(0, (action)a, kind, -1, NULL), ATG_EDENIED);
    for (int kind = 0; kind < RECORD_KINDS; kind++)
        for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
            assert_int_equal(rights_field(0, (record_kind)kind, f), ACCESS_NONE);
}

static void a_refusal_says_whose_right_it_is(void **state) {
    static const struct {
        action a;
        int kind, in, state;
        const char *says;
    } cases[] = {
        {ACTION_ADD, RECORD_MARK, RECORD_REMAINS, REMAINS_STATE_RECEIVED, "mortuary"},
        {ACTION_ADD, RECORD_MARK, RECORD_REMAINS, REMAINS_STATE_RELEASED, "'released'"},
        {ACTION_ADD, RECORD_MARK, RECORD_FAMILY, -1, "Nobody may"},
        {ACTION_KEYS, -1, -1, -1, "administrator"},
        {ACTION_MERGE, RECORD_MISSING, RECORD_MISSING, MISSING_STATE_CLOSED, "'closed'"},
        {ACTION_ADD, -1, -1, -1, "Nobody may"},
    };
    atg_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        memset(&err, 0, sizeof(err));
        assert_int_equal(
            rights_in(R(AUDITOR), cases[i].a, cases[i].kind, cases[i].in, cases[i].state, &err),
            ATG_EDENIED);
        if (!strstr(err.msg, cases[i].says))
            fail_msg("'%s' does not say %s", err.msg, cases[i].says);
    }
    assert_int_equal(rights_state(R(MORTUARY), RECORD_REMAINS, REMAINS_STATE_AT_THE_BOARD,
                                  REMAINS_STATE_IDENTIFIED, &err),
                     ATG_EDENIED);
    assert_non_null(strstr(err.msg, "board"));
    assert_int_equal(rights_state(R(BOARD), RECORD_REMAINS, REMAINS_STATE_RECEIVED,
                                  REMAINS_STATE_IDENTIFIED, &err),
                     ATG_EDENIED);
    assert_non_null(strstr(err.msg, "does not go"));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_printed_table_is_the_reviewed_one),
        cmocka_unit_test(every_cell_of_the_table_holds),
        cmocka_unit_test(every_move_of_the_table_holds_and_no_other),
        cmocka_unit_test(nobody_changes_what_they_cannot_read),
        cmocka_unit_test(who_adds_a_record_may_write_all_that_it_needs),
        cmocka_unit_test(an_auditor_writes_nothing),
        cmocka_unit_test(an_administrator_reads_nothing_about_a_person),
        cmocka_unit_test(names_are_for_those_who_speak_with_the_family_and_for_the_board),
        cmocka_unit_test(genotypes_and_what_does_not_fit_a_family_are_the_geneticists),
        cmocka_unit_test(a_picture_of_the_dead_is_shown_to_nobody_without_a_reason),
        cmocka_unit_test(a_notification_has_no_room_for_pictures_genotypes_or_candidates),
        cmocka_unit_test(the_side_of_the_dead_is_a_word_among_others),
        cmocka_unit_test(the_board_identifies_and_the_liaison_tells),
        cmocka_unit_test(every_state_is_reached_and_left),
        cmocka_unit_test(a_closed_file_takes_no_more_data),
        cmocka_unit_test(the_matcher_writes_what_is_computed_and_nothing_else),
        cmocka_unit_test(somebody_without_a_role_may_nothing),
        cmocka_unit_test(a_refusal_says_whose_right_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
