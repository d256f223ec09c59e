/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: requests whose work goes on behind the answer 202.  Each is a row in the store
 * (app/tasks.h), runs on the pool, and tells how far it is to streams of events of whoever asked.
 *
 * A service that stops leaves those that can be begun anew to the next one; of all others the row
 * says that they were interrupted. */
#ifndef ATG_SERVER_RUNNER_H
#define ATG_SERVER_RUNNER_H

#include "server/request.h"

typedef struct runner runner;
typedef struct job_run job_run;

int runner_open(service *s, runner **ret, atg_err *err);
/* Listening has begun: take up what an earlier service left, and look after what runs. */
int runner_begin(runner *r, atg_err *err);
/* When the pool is drained: what has not ended is given back. */
void runner_stop(runner *r);
void runner_close(runner *r);

/* Is this request to become a job? */
bool runner_wants(const request *q);
/* Make it one: what it brought goes over, and it is answered 202. */
int runner_take(runner *r, request *q, atg_err *err);
/* Somebody cancelled it: at once, if it runs here. */
void runner_cancel(runner *r, const uuid *id);

/* Progress of a job; false: it is to end. */
bool runner_go_on(job_run *j, const char *phase, uint64_t done, uint64_t total);

/* How far a job is that runs here: what is written down of it may be behind. */
struct task_row;
void runner_look(runner *r, atg_arena *arena, struct task_row *t);

/* {"id", "kind", "state", ...}: the answer in it, when there is one. */
void runner_write(request *q, const struct task_row *t);

#endif
