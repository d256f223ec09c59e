/* SPDX-License-Identifier: Apache-2.0 */
/* Long work that somebody asked the service for (the jobs of the API): who sees it, what is kept of
 * it.  What was asked and what came of it is sealed under a key of the site; only who asked sees
 * it.  Any thread may call. */
#ifndef ATG_APP_TASKS_H
#define ATG_APP_TASKS_H

#include "app/cases.h"
#include "store/tasks.h"

enum {
    TASKS_OPEN_MAX = 16,       /* of one account that have not ended */
    TASK_ASK_MAX = 16 << 10,   /* bytes */
    TASK_ANSWER_MAX = 8 << 20, /* bytes */
    TASK_LEASE_S = 120,
    TASK_KEPT_S = 7 * 86400, /* behind its end */
};

typedef struct task_wish {
    atg_str kind, ask; /* `ask`: whatever begins it anew */
    atg_str worker;
    bool again;
} task_wish;

/* ATG_ELIMIT: the account has too many that have not ended. */
int task_new(cases *c, const actor *who, const task_wish *w, uuid *ret, atg_err *err);

/* One's own, with `answer` opened and `ask` left out.  ATG_ENOTFOUND: there is none, or it is
 * somebody else's. */
int task_look(cases *c, const actor *who, atg_arena *arena, const uuid *id, task_row *ret,
              atg_err *err);
int task_list(cases *c, const actor *who, atg_arena *arena, task_row **ret, uint32_t *ret_n,
              atg_err *err);
/* Ask for the end of one's own; one that has ended stays as it is. */
int task_cancel(cases *c, const actor *who, const uuid *id, atg_err *err);

/* ---- for who does the work: functions of store/tasks.h in transactions of their own ---- */

int task_step(cases *c, const task_row *t, atg_str worker, bool *ret_cancel, atg_err *err);
/* `t->answer` is sealed here. */
int task_end(cases *c, const task_row *t, atg_str worker, atg_err *err);
int task_release(cases *c, const uuid *id, atg_str worker, atg_err *err);

/* What nobody does any more, with `ask` opened, and who asked: none when that account was blocked
 * or is gone. */
typedef struct task_claimed {
    task_row row;
    actor who;
} task_claimed;
int task_claim(cases *c, atg_arena *arena, atg_str worker, bool own, task_claimed **ret,
               uint32_t *ret_n, atg_err *err);

/* ---- a run of the matcher ---- */

/* Ask the matchers (app/matcher.h) for everything of an operation anew. */
int task_match_begin(cases *c, const actor *who, const uuid *operation, atg_err *err);
/* How many comparisons of it wait or are being done, and have failed. */
typedef struct task_matching {
    int64_t waiting, running, failed;
} task_matching;
int task_match_look(cases *c, const uuid *operation, task_matching *ret, atg_err *err);
/* May this account ask for it?  For verifying the history? */
int task_match_right(cases *c, const actor *who, const uuid *operation, atg_err *err);
int task_verify_right(cases *c, const actor *who, atg_err *err);

#endif
