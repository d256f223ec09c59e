/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "cli/progress.h"
#include "cli/store.h"

/* Here the matcher reads, as itself; elsewhere it is asked to. */
static int open_where(const args *a, store_session *s) {
    return cli_store_server(a) ? cli_store_open(a, s) : cli_store_only(a, s);
}

static int run(const args *a) {
    STORE_SESSION s = {0};
    faces_done done = {0};
    atg_err err = {0};
    int rc, code = open_where(a, &s);

    if (!code)
        code = cli_store_operation(a, &s);
    if (code)
        return code;
    rc = s.at->faces_read(&s, progress_start(a), &done, &err);
    progress_clear();
    if (rc)
        return cli_fail(NULL, &err);
    cli_store_say(a,
                  "%llu photographs were read, %llu of them not fit to be compared; %llu are as "
                  "they were; %llu templates were taken out.\n",
                  (unsigned long long)done.made, (unsigned long long)done.poor,
                  (unsigned long long)done.unchanged, (unsigned long long)done.taken_out);
    return EXIT_DONE;
}

static const option_id options[] = {OPT_OPERATION, OPT_SERVER,  OPT_CA,    OPT_STORE, OPT_POSTGRES,
                                    OPT_KEY,       OPT_ACCOUNT, OPT_QUIET, OPT_HELP};

const command command_face_read = {
    .name = "face read",
    .summary = "Read all photographs of faces that are new, changed, or of another network.",
    .operands = "",
    .details = "After another network was installed: templates of different networks are never "
               "compared. It goes on where it was interrupted, and changes nothing the second "
               "time. 'antigone match' reads what is new by itself. Over the network the service "
               "does it, for an account that may match.",
    .options = options,
    .run = run,
};
