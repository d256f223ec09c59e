/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rights.h"

#include <stdio.h>
#include <string.h>

const char *const action_names[ACTIONS] = {
    [ACTION_ADD] = "add",       [ACTION_READ] = "read",         [ACTION_EDIT] = "edit",
    [ACTION_STATE] = "state",   [ACTION_WITHDRAW] = "withdraw", [ACTION_MERGE] = "merge",
    [ACTION_ERASE] = "erase",   [ACTION_IMPORT] = "import",     [ACTION_EXPORT] = "export",
    [ACTION_BUNDLE] = "bundle", [ACTION_MATCH] = "match",       [ACTION_AUDIT] = "audit",
    [ACTION_BACKUP] = "backup", [ACTION_KEYS] = "keys",         [ACTION_ACCOUNTS] = "accounts",
    [ACTION_FACES] = "faces",
};

#define A(x) (1U << ACTION_##x)
#define K(x) (1U << RECORD_##x)
#define R(x) (1U << ROLE_##x)
#define MS(x) (1U << MISSING_STATE_##x)
#define RS(x) (1U << REMAINS_STATE_##x)
#define OS(x) (1U << OPERATION_STATE_##x)
#define ANY UINT32_MAX

/* While somebody is looked for; until everything was done. */
#define MISSING_OPEN (MS(REPORTED) | MS(COMPLETE) | MS(UNDER_COMPARISON))
#define MISSING_LIVE (MISSING_OPEN | MS(IDENTIFIED) | MS(FAMILY_TOLD))
#define REMAINS_OPEN (RS(RECEIVED) | RS(EXAMINED) | RS(UNDER_COMPARISON) | RS(AT_THE_BOARD))
#define REMAINS_LIVE (REMAINS_OPEN | RS(IDENTIFIED))
#define COMPARING (RS(UNDER_COMPARISON) | RS(AT_THE_BOARD))

#define WRITE (A(ADD) | A(EDIT) | A(WITHDRAW))
#define DESCRIBED (K(MARK) | K(IMPLANT) | K(EFFECT) | K(DOCUMENT) | K(PHOTOGRAPH))
#define SIGNERS (R(GENETICIST) | R(ODONTOLOGIST) | R(EXAMINER))

/* Who may do these to records of these kinds in files of these kinds in these states.  Reading
 * follows from the field rights, moving from the moves. */
static const struct grant {
    uint32_t actions, kinds, in, states, roles;
} grants[] = {
    /* the operation and what stands in it */
    {A(ADD), K(OPERATION), K(OPERATION), OS(OPEN), R(ADMINISTRATOR)},
    {A(EDIT), K(OPERATION), K(OPERATION), OS(OPEN), R(ADMINISTRATOR) | R(BOARD)},
    {A(WITHDRAW), K(OPERATION), K(OPERATION), OS(OPEN), R(BOARD)},
    {WRITE, K(DOCUMENT), K(OPERATION), OS(OPEN), R(BOARD)},

    /* what is told of the missing */
    {A(ADD), K(MISSING), K(MISSING), MS(REPORTED), R(INTERVIEWER)},
    {A(EDIT), K(MISSING), K(MISSING), MISSING_LIVE | MS(FOUND_ALIVE), R(INTERVIEWER)},
    {A(EDIT), K(MISSING), K(MISSING), MISSING_LIVE, R(BOARD)},
    {A(EDIT), K(MISSING), K(MISSING), MS(IDENTIFIED) | MS(FAMILY_TOLD) | MS(CLOSED), R(LIAISON)},
    {A(WITHDRAW), K(MISSING), K(MISSING), MISSING_OPEN, R(BOARD)},
    {A(MERGE), K(MISSING), K(MISSING), MISSING_OPEN, R(INTERVIEWER) | R(BOARD)},
    {WRITE, DESCRIBED | K(INFORMANT), K(MISSING), MISSING_LIVE, R(INTERVIEWER)},
    {WRITE, K(DENTAL_CHART), K(MISSING), MISSING_LIVE, R(INTERVIEWER) | R(ODONTOLOGIST)},
    {WRITE, K(RIDGE), K(MISSING), MISSING_LIVE, R(INTERVIEWER) | R(EXAMINER)},
    {WRITE, K(SAMPLE), K(MISSING), MISSING_LIVE, R(INTERVIEWER) | R(GENETICIST)},
    {WRITE, K(PROFILE), K(MISSING), MISSING_LIVE, R(GENETICIST)},
    {A(ADD) | A(EDIT), K(NOTIFICATION), K(MISSING), MS(IDENTIFIED) | MS(FAMILY_TOLD) | MS(CLOSED),
     R(LIAISON)},
    {A(WITHDRAW), K(NOTIFICATION), K(MISSING), MS(IDENTIFIED), R(LIAISON)},

    /* families and who gives a sample */
    {A(ADD) | A(EDIT), K(FAMILY), K(FAMILY), ANY, R(INTERVIEWER) | R(GENETICIST)},
    {A(WITHDRAW), K(FAMILY), K(FAMILY), ANY, R(BOARD)},
    {WRITE, K(INFORMANT) | K(DONOR) | K(DOCUMENT), K(FAMILY), ANY, R(INTERVIEWER)},
    {WRITE, K(SAMPLE), K(FAMILY), ANY, R(INTERVIEWER) | R(GENETICIST)},
    {WRITE, K(PROFILE), K(FAMILY), ANY, R(GENETICIST)},

    /* what is found on the dead */
    {A(ADD), K(REMAINS), K(REMAINS), RS(RECEIVED), R(MORTUARY)},
    {A(EDIT), K(REMAINS), K(REMAINS), ANY, R(MORTUARY)},
    {A(EDIT), K(REMAINS), K(REMAINS), REMAINS_LIVE, R(BOARD)},
    {A(WITHDRAW), K(REMAINS), K(REMAINS), REMAINS_OPEN, R(BOARD)},
    {WRITE, DESCRIBED, K(REMAINS), REMAINS_LIVE, R(MORTUARY)},
    {WRITE, K(DENTAL_CHART), K(REMAINS), REMAINS_LIVE, R(MORTUARY) | R(ODONTOLOGIST)},
    {WRITE, K(RIDGE), K(REMAINS), REMAINS_LIVE, R(MORTUARY) | R(EXAMINER)},
    {WRITE, K(SAMPLE), K(REMAINS), REMAINS_LIVE, R(MORTUARY) | R(GENETICIST)},
    {WRITE, K(PROFILE), K(REMAINS), REMAINS_LIVE, R(GENETICIST)},
    {A(ADD) | A(EDIT), K(CUSTODY), K(REMAINS), ANY, R(MORTUARY)},
    {A(WITHDRAW), K(CUSTODY), K(REMAINS), REMAINS_OPEN, R(MORTUARY)},

    /* the laboratory */
    {WRITE, K(BATCH), K(BATCH), ANY, R(GENETICIST)},
    {WRITE, K(STAFF_PROFILE), K(STAFF_PROFILE), ANY, R(GENETICIST)},

    /* from lead to identification */
    {WRITE, K(HYPOTHESIS) | K(EVIDENCE), K(REMAINS), REMAINS_LIVE, RIGHTS_MATCHER},
    {A(ADD), K(FACE_TEMPLATE), K(MISSING), MISSING_LIVE, RIGHTS_MATCHER},
    {A(ADD), K(FACE_TEMPLATE), K(REMAINS), REMAINS_LIVE, RIGHTS_MATCHER},
    /* also to take it out of the file of somebody who was found alive */
    {A(EDIT), K(FACE_TEMPLATE), K(MISSING) | K(REMAINS), ANY, RIGHTS_MATCHER},
    {WRITE, K(FACE_CANDIDATE), K(REMAINS), REMAINS_OPEN, RIGHTS_MATCHER},
    {WRITE, K(FACE_CALIBRATION), K(OPERATION), ANY, RIGHTS_MATCHER},
    {WRITE, K(FACE_COMPARISON), K(REMAINS), REMAINS_OPEN, R(EXAMINER)},
    {WRITE, K(HYPOTHESIS), K(REMAINS), REMAINS_OPEN, R(RECONCILER)},
    {A(EDIT), K(HYPOTHESIS), K(REMAINS), RS(AT_THE_BOARD), R(BOARD)},
    {WRITE, K(COMPARISON), K(REMAINS), COMPARING, SIGNERS},
    {A(ADD) | A(WITHDRAW), K(DECISION), K(REMAINS), RS(AT_THE_BOARD), R(BOARD)},

    /* what people ask about data of theirs */
    {A(ADD) | A(EDIT), K(DISCLOSURE), K(MISSING) | K(FAMILY) | K(OPERATION), ANY,
     R(INTERVIEWER) | R(BOARD)},
    {A(WITHDRAW), K(DISCLOSURE), K(MISSING) | K(FAMILY) | K(OPERATION), ANY, R(BOARD)},
    {A(ERASE), K(MISSING) | K(FAMILY) | K(INFORMANT) | K(DONOR) | K(STAFF_PROFILE), ANY, ANY,
     R(BOARD) | R(ADMINISTRATOR)},
    {A(ERASE), K(REMAINS), ANY, ANY, R(BOARD)},

    /* of no kind */
    {A(IMPORT), ANY, ANY, ANY,
     R(INTERVIEWER) | R(MORTUARY) | R(ODONTOLOGIST) | R(GENETICIST) | R(EXAMINER)},
    {A(EXPORT), ANY, ANY, ANY, R(GENETICIST) | R(BOARD)},
    {A(BUNDLE), ANY, ANY, ANY, R(BOARD)},
    {A(MATCH), ANY, ANY, ANY,
     R(GENETICIST) | R(RECONCILER) | R(BOARD) | R(ADMINISTRATOR) | RIGHTS_MATCHER},
    {A(FACES), ANY, ANY, ANY, R(EXAMINER) | R(RECONCILER)},
    {A(AUDIT), ANY, ANY, ANY, R(BOARD) | R(AUDITOR) | R(ADMINISTRATOR)},
    {A(BACKUP) | A(KEYS) | A(ACCOUNTS), ANY, ANY, ANY, R(ADMINISTRATOR)},
};

/* Whose move it is. */
static const struct move {
    record_kind kind;
    uint32_t from, to, roles;
} moves[] = {
    {RECORD_OPERATION, OS(OPEN), OS(CLOSED), R(BOARD)},
    {RECORD_OPERATION, OS(CLOSED), OS(OPEN), R(BOARD)},

    {RECORD_MISSING, MS(REPORTED), MS(COMPLETE), R(INTERVIEWER)},
    {RECORD_MISSING, MS(COMPLETE), MS(REPORTED), R(INTERVIEWER)},
    {RECORD_MISSING, MS(COMPLETE), MS(UNDER_COMPARISON), R(INTERVIEWER) | R(RECONCILER)},
    {RECORD_MISSING, MS(UNDER_COMPARISON), MS(COMPLETE), R(INTERVIEWER) | R(RECONCILER)},
    {RECORD_MISSING, MS(UNDER_COMPARISON), MS(IDENTIFIED), R(BOARD)},
    {RECORD_MISSING, MS(IDENTIFIED), MS(FAMILY_TOLD), R(LIAISON)},
    {RECORD_MISSING, MS(FAMILY_TOLD), MS(CLOSED), R(LIAISON) | R(BOARD)},
    /* more was found, and the family wants to know */
    {RECORD_MISSING, MS(CLOSED), MS(FAMILY_TOLD), R(LIAISON) | R(BOARD)},
    /* it was somebody else */
    {RECORD_MISSING, MS(IDENTIFIED) | MS(FAMILY_TOLD) | MS(CLOSED), MS(UNDER_COMPARISON), R(BOARD)},
    {RECORD_MISSING, MISSING_OPEN, MS(FOUND_ALIVE), R(INTERVIEWER) | R(BOARD)},
    {RECORD_MISSING, MS(IDENTIFIED) | MS(FAMILY_TOLD) | MS(CLOSED), MS(FOUND_ALIVE), R(BOARD)},
    {RECORD_MISSING, MS(FOUND_ALIVE), MS(REPORTED), R(BOARD)},
    {RECORD_MISSING, MISSING_OPEN, MS(WITHDRAWN), R(INTERVIEWER) | R(BOARD)},
    {RECORD_MISSING, MS(WITHDRAWN), MS(REPORTED), R(INTERVIEWER) | R(BOARD)},

    {RECORD_REMAINS, RS(RECEIVED), RS(EXAMINED), R(MORTUARY)},
    {RECORD_REMAINS, RS(EXAMINED), RS(RECEIVED), R(MORTUARY)},
    {RECORD_REMAINS, RS(EXAMINED), RS(UNDER_COMPARISON), R(MORTUARY) | R(RECONCILER)},
    {RECORD_REMAINS, RS(UNDER_COMPARISON), RS(EXAMINED), R(MORTUARY) | R(RECONCILER)},
    {RECORD_REMAINS, RS(UNDER_COMPARISON), RS(AT_THE_BOARD), R(RECONCILER)},
    {RECORD_REMAINS, RS(AT_THE_BOARD), RS(UNDER_COMPARISON), R(RECONCILER) | R(BOARD)},
    {RECORD_REMAINS, RS(AT_THE_BOARD), RS(IDENTIFIED), R(BOARD)},
    {RECORD_REMAINS, RS(IDENTIFIED), RS(AT_THE_BOARD), R(BOARD)},
    {RECORD_REMAINS, RS(IDENTIFIED), RS(RELEASED), R(MORTUARY)},
    {RECORD_REMAINS, RS(RELEASED), RS(IDENTIFIED), R(MORTUARY) | R(BOARD)},
};

/* What is done with a second factor alone, whoever may do it. */
static bool needs_code(action a, int kind) {
    static const uint32_t signs = K(COMPARISON) | K(FACE_COMPARISON) | K(DECISION);

    if ((A(ACCOUNTS) | A(KEYS)) >> a & 1)
        return true;
    return kind >= 0 && WRITE >> a & 1 && signs >> kind & 1;
}

static bool move_needs_code(record_kind kind, uint32_t from, uint32_t to) {
    static const uint32_t named = MS(IDENTIFIED) | MS(FAMILY_TOLD) | MS(CLOSED);

    if (kind == RECORD_REMAINS)
        return (from == REMAINS_STATE_AT_THE_BOARD && to == REMAINS_STATE_IDENTIFIED) ||
               (from == REMAINS_STATE_IDENTIFIED && to == REMAINS_STATE_AT_THE_BOARD);
    return kind == RECORD_MISSING && (named >> from & 1) != (named >> to & 1);
}

/* The files in which a role's field rights hold; in the file itself they always do.  Who describes
 * the living does not look at the dead, and the other way round. */
static const uint32_t sides[ROLES] = {
    [ROLE_INTERVIEWER] = K(MISSING) | K(FAMILY) | K(OPERATION),
    [ROLE_MORTUARY] = K(REMAINS) | K(OPERATION),
    [ROLE_ODONTOLOGIST] = K(MISSING) | K(REMAINS),
    [ROLE_GENETICIST] = ANY,
    [ROLE_EXAMINER] = K(MISSING) | K(REMAINS),
    [ROLE_RECONCILER] = ANY,
    [ROLE_BOARD] = ANY,
    [ROLE_LIAISON] = ANY,
    [ROLE_AUDITOR] = ANY,
    [ROLE_ADMINISTRATOR] = ANY,
};

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/* ---- fields ---- */

static bool has(uint32_t roles, int r) {
    return roles >> r & 1;
}

static bool on_side(int r, record_kind kind, int in) {
    uint32_t where = record_types[kind].in;

    if (record_types[kind].is_file)
        return true;
    return (sides[r] & (in < 0 ? where : where & 1U << in)) != 0;
}

bool rights_computed(record_kind kind) {
    return kind == RECORD_HYPOTHESIS || kind == RECORD_EVIDENCE || kind == RECORD_FACE_TEMPLATE ||
           kind == RECORD_FACE_CANDIDATE || kind == RECORD_FACE_CALIBRATION;
}

static access_right class_right(uint32_t roles, record_kind kind, int in, field_class class) {
    access_right best = ACCESS_NONE;

    if (roles & RIGHTS_MATCHER && rights_computed(kind))
        return ACCESS_WRITE;
    for (int r = 0; r < ROLES; r++) {
        access_right own = (access_right)record_types[kind].access[r][class];

        if (has(roles, r) && own > best && on_side(r, kind, in))
            best = own;
    }
    return best;
}

access_right rights_field_in(uint32_t roles, record_kind kind, int in, uint32_t field) {
    return class_right(roles, kind, in, record_field(kind, field)->class);
}

access_right rights_field(uint32_t roles, record_kind kind, uint32_t field) {
    return rights_field_in(roles, kind, -1, field);
}

static bool picture_of_the_dead(record_kind kind, int in, field_class class) {
    return kind == RECORD_PHOTOGRAPH && class == CLASS_PICTURE && in != RECORD_MISSING;
}

bool rights_reason(record_kind kind, int in, uint32_t field) {
    return picture_of_the_dead(kind, in, record_field(kind, field)->class);
}

bool rights_sensitive(record_kind kind, uint32_t field) {
    static const uint32_t sensitive = 1U << CLASS_NAME | 1U << CLASS_CONTACT | 1U << CLASS_SOURCE |
                                      1U << CLASS_GENOTYPE | 1U << CLASS_PICTURE |
                                      1U << CLASS_FINDING;

    return sensitive >> record_field(kind, field)->class & 1;
}

/* ---- actions ---- */

static bool reads(int r, record_kind kind, int in) {
    for (int c = 0; c < CLASSES; c++)
        if (class_right(1U << r, kind, in, (field_class)c) != ACCESS_NONE)
            return true;
    return false;
}

static uint32_t readers(record_kind kind, int in) {
    uint32_t who = 0;

    for (int r = 0; r <= ROLES; r++)
        if (reads(r, kind, in))
            who |= 1U << r;
    return who;
}

static uint32_t movers(record_kind kind, uint32_t states) {
    uint32_t who = 0;

    for (size_t i = 0; i < COUNT(moves); i++)
        if (moves[i].kind == kind && moves[i].from & states)
            who |= moves[i].roles;
    return who;
}

static bool of_no_kind(action a) {
    return a >= ACTION_IMPORT;
}

/* The roles that may, where bits of kinds, places and states stand for "one of them". */
static uint32_t granted(action a, uint32_t kinds, uint32_t in, uint32_t states) {
    uint32_t who = 0;

    for (size_t i = 0; i < COUNT(grants); i++)
        if (grants[i].actions >> a & 1 && grants[i].kinds & kinds && grants[i].in & in &&
            grants[i].states & states)
            who |= grants[i].roles;
    return who;
}

static bool stands_in(record_kind kind, int in) {
    if (in < 0)
        return true;
    return record_types[kind].is_file ? in == (int)kind : record_types[kind].in >> in & 1;
}

static uint32_t who_may(action a, int kind, int in, uint32_t states) {
    if (of_no_kind(a))
        return granted(a, ANY, ANY, ANY);
    if (kind < 0 || !stands_in((record_kind)kind, in))
        return 0;
    if (a == ACTION_READ)
        return readers((record_kind)kind, in);
    if (a == ACTION_STATE)
        return movers((record_kind)kind, states);
    return granted(a, 1U << kind, in < 0 ? ANY : 1U << in, states);
}

static void names(uint32_t roles, char *ret, size_t size) {
    size_t n = 0;

    ret[0] = '\0';
    for (int r = 0; r < ROLES; r++)
        if (has(roles, r) && n + 20 < size)
            n += (size_t)snprintf(ret + n, size - n, "%s%s", n ? ", " : "", role_names[r]);
}

static const char *kind_title(int kind) {
    return kind < 0 ? "record" : record_types[kind].title;
}

static int refuse(action a, int kind, int in, int state, atg_err *err) {
    uint32_t now = who_may(a, kind, in, state < 0 ? ANY : 1U << state);
    uint32_t ever = who_may(a, kind, in, ANY);
    int file = in < 0 ? kind : in;
    char list[200];

    names(now ? now : ever, list, sizeof(list));
    if (of_no_kind(a))
        return atg_fail(err, ATG_EDENIED, "'%s' needs one of these roles: %s", action_names[a],
                        list);
    if (!ever)
        return atg_fail(err, ATG_EDENIED, "Nobody may %s a %s%s%s", action_names[a],
                        kind_title(kind), in < 0 || in == kind ? "" : " in a ",
                        in < 0 || in == kind ? "" : kind_title(in));
    if (!now && file >= 0 && state >= 0)
        return atg_fail(err, ATG_EDENIED, "Nobody may %s a %s while the %s is '%s'",
                        action_names[a], kind_title(kind), kind_title(file),
                        record_types[file].states[state]);
    return atg_fail(err, ATG_EDENIED, "To %s a %s one of these roles is needed: %s",
                    action_names[a], kind_title(kind), list);
}

static const char no_code[] =
    "This account has no second factor, and what is signed and the rule over accounts and keys "
    "need one: set it up first ('antigone code', or POST /api/v1/code)";

int rights_code(uint32_t roles, atg_err *err) {
    return roles & RIGHTS_CODE ? ATG_OK : atg_fail(err, ATG_EDENIED, "%s", no_code);
}

bool rights_wants_code(const atg_err *err) {
    return err->code == ATG_EDENIED && strcmp(err->msg, no_code) == 0;
}

int rights_in(uint32_t roles, action a, int kind, int in, int state, atg_err *err) {
    if (!(roles & who_may(a, kind, in, state < 0 ? ANY : 1U << state)))
        return refuse(a, kind, in, state, err);
    return needs_code(a, kind) ? rights_code(roles, err) : ATG_OK;
}

int rights_action(uint32_t roles, action a, int kind, int state, atg_err *err) {
    int in = kind >= 0 && record_types[kind].is_file ? kind : -1;

    return rights_in(roles, a, kind, in, in < 0 ? -1 : state, err);
}

int rights_state(uint32_t roles, record_kind kind, uint32_t from, uint32_t to, atg_err *err) {
    const char *const *states = record_types[kind].states;
    uint32_t who = 0;
    char list[200];

    for (size_t i = 0; i < COUNT(moves); i++)
        if (moves[i].kind == kind && moves[i].from >> from & 1 && moves[i].to >> to & 1)
            who |= moves[i].roles;
    if (roles & who)
        return move_needs_code(kind, from, to) ? rights_code(roles, err) : ATG_OK;
    names(who, list, sizeof(list));
    if (who)
        return atg_fail(err, ATG_EDENIED, "From '%s' to '%s' is the move of: %s", states[from],
                        states[to], list);
    return atg_fail(err, ATG_EDENIED, "A %s does not go from '%s' to '%s'",
                    record_types[kind].title, states[from], states[to]);
}

/* ---- the table ---- */

static int state_count(int in) {
    int n = 0;

    while (record_types[in].states[n])
        n++;
    return n;
}

static void columns(atg_buf *buf, uint32_t who, bool code) {
    for (int r = 0; r <= ROLES; r++)
        atg_buf_adds(buf, !(who >> r & 1) ? ",-" : code ? ",code" : ",yes");
    atg_buf_adds(buf, "\n");
}

static uint32_t alike(action a, int kind, int in, int state, int n) {
    uint32_t who = who_may(a, kind, in, 1U << state), states = 0;

    for (int s = 0; s < n; s++)
        if (who_may(a, kind, in, 1U << s) == who)
            states |= 1U << s;
    return states;
}

/* Rows of one action on one kind in one kind of file: states with the same roles together. */
static void table_action(atg_buf *buf, action a, int kind, int in) {
    const char *const *states = record_types[in].states;
    int n = state_count(in);
    uint32_t done = 0;

    for (int first = 0; first < n || first == 0; first++) {
        uint32_t same = n ? alike(a, kind, in, first, n) : 0;
        const char *between = "";

        if (done >> first & 1)
            continue;
        done |= same;
        atg_buf_printf(buf, "%s,%s,%s,", action_names[a], record_types[kind].name,
                       record_types[in].name);
        if (same == (1U << n) - 1)
            atg_buf_adds(buf, "*");
        for (int s = first; s < n && same != (1U << n) - 1; s++) {
            if (!(same >> s & 1))
                continue;
            atg_buf_printf(buf, "%s%s", between, states[s]);
            between = "|";
        }
        columns(buf, who_may(a, kind, in, n ? 1U << first : ANY), needs_code(a, kind));
    }
}

static void table_moves(atg_buf *buf, int kind) {
    const char *const *states = record_types[kind].states;

    for (uint32_t from = 0; states[from]; from++)
        for (uint32_t to = 0; states[to]; to++) {
            uint32_t who = 0;

            for (int r = 0; r <= ROLES; r++)
                if (!rights_state(1U << r | RIGHTS_CODE, (record_kind)kind, from, to, NULL))
                    who |= 1U << r;
            if (!who)
                continue;
            atg_buf_printf(buf, "move,%s,%s,%s>%s", record_types[kind].name,
                           record_types[kind].name, states[from], states[to]);
            columns(buf, who, move_needs_code((record_kind)kind, from, to));
        }
}

static void table_looks(atg_buf *buf, int kind, int in) {
    static const char *const words[] = {"no", "reason", "read", "write"};
    uint32_t classes = 0;

    for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
        classes |= 1U << record_types[kind].fields[f].class;
    for (int c = 0; c < CLASSES; c++) {
        bool sealed = picture_of_the_dead((record_kind)kind, in, (field_class)c);

        if (!(classes >> c & 1))
            continue;
        atg_buf_printf(buf, "look,%s,%s,%s", record_types[kind].name, record_types[in].name,
                       class_names[c]);
        for (int r = 0; r <= ROLES; r++) {
            access_right x = class_right(1U << r, (record_kind)kind, in, (field_class)c);

            atg_buf_printf(buf, ",%s%s", words[x],
                           sealed && x > ACCESS_REASON ? " with a reason" : "");
        }
        atg_buf_adds(buf, "\n");
    }
}

void rights_table(atg_buf *buf) {
    atg_buf_adds(buf, "action,kind,in,state");
    for (int r = 0; r < ROLES; r++)
        atg_buf_printf(buf, ",%s", role_names[r]);
    atg_buf_adds(buf, ",matcher\n");
    for (int kind = 0; kind < RECORD_KINDS; kind++)
        for (int in = 0; in < RECORD_KINDS; in++) {
            if (!stands_in((record_kind)kind, in))
                continue;
            for (int a = 0; !of_no_kind((action)a); a++)
                if (who_may((action)a, kind, in, ANY))
                    table_action(buf, (action)a, kind, in);
            if (kind == in)
                table_moves(buf, kind);
            table_looks(buf, kind, in);
        }
    for (int a = ACTION_IMPORT; a < ACTIONS; a++) {
        atg_buf_printf(buf, "%s,,,", action_names[a]);
        columns(buf, who_may((action)a, -1, -1, ANY), needs_code((action)a, -1));
    }
}
