/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "app/faces_eye.h"
#include "cli/progress.h"
#include "cli/store.h"

static int run(const args *a) {
    STORE_SESSION s = {0};
    ATG_AUTO(faces_eye) eye = NULL;
    faces_done done = {0};
    atg_err err = {0};
    int code = cli_store_only_here(a, &s);

    if (!code)
        code = cli_store_operation(a, &s);
    if (code)
        return code;
    if (faces_eye_open(cli_store_folder(a), &eye, &err))
        return cli_fail(NULL, &err);

    int rc = faces_enrol(s.c, &s.operation.id, faces_eye_of(eye), progress_start(a), &done, &err);

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

static const option_id options[] = {OPT_OPERATION, OPT_STORE, OPT_POSTGRES,
                                    OPT_KEY,       OPT_QUIET, OPT_HELP};

const command command_face_read = {
    .name = "face read",
    .summary = "Read all photographs of faces that are new, changed, or of another network.",
    .operands = "",
    .details = "After another network was installed: templates of different networks are never "
               "compared. It goes on where it was interrupted, and changes nothing the second "
               "time. 'antigone match' reads what is new by itself.",
    .options = options,
    .run = run,
};
