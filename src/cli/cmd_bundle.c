/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed bundles for sites that no network reaches. */
#include "cli/commands.h"

#include <stdio.h>

#include "app/bundle.h"
#include "base/bytes.h"
#include "base/instant.h"
#include "cli/progress.h"
#include "cli/store.h"

enum { PART_LEAST = 3, PART_MOST = 1 << 20, MISSING_SHOWN = 10 };

/* The files that the words behind the first name. */
static int named_files(const args *a, store_session *s, bundle_wish *w) {
    uuid *ids = ATG_GET(s->arena, uuid, (size_t)a->n);

    if (!ids)
        return cli_write(NULL, NULL);
    for (int i = 1; i < a->n; i++) {
        file_row file;
        int code = cli_store_file(s, a->operands[i], &file);

        if (code)
            return code;
        ids[i - 1] = file.id;
    }
    w->files = a->n > 1 ? ids : NULL;
    w->n_files = (uint32_t)a->n - 1;
    return EXIT_DONE;
}

static int run_make(const args *a) {
    STORE_SESSION s = {0};
    bundle_wish w = {.to = atg_str_of(a->value[OPT_TO]),
                     .since = cli_has(a, OPT_ALL) ? BUNDLES_ALL : BUNDLES_SINCE_LAST,
                     .path = a->operands[0]};
    bundle_made made;
    uint64_t part = 0;
    atg_err err = {0};
    int code;

    if (!w.to.n)
        return cli_usage(a->command, "Say for which site: --to NAME ('antigone sites list')");
    code = cli_uint(a, OPT_PART_SIZE, PART_LEAST, PART_MOST, &part);
    if (!code)
        code = cli_store_open_here(a, &s);
    if (!code)
        code = cli_store_operation(a, &s);
    if (!code)
        code = named_files(a, &s, &w);
    if (code)
        return code;
    w.operation = s.operation.id;
    w.file_most = part << 20;
    w.progress = progress_start(a);
    if (bundles_make(s.c, &s.who, &w, &made, &err)) {
        progress_clear();
        return cli_fail(a->operands[0], &err);
    }
    progress_clear();
    cli_store_say(a, "Written: %s, %llu bytes; %llu records may not go to this site and stayed.\n",
                  a->operands[0], (unsigned long long)made.bytes,
                  (unsigned long long)made.withheld);
    if (made.lost)
        (void)fprintf(stderr, "antigone: %llu pictures are lost or damaged here and did not go.\n",
                      (unsigned long long)made.lost);
    return EXIT_DONE;
}

static void say_opened(const args *a, const bundle_opened *o) {
    if (o->before) {
        cli_store_say(a, "This bundle of %.*s was opened before; nothing was done.\n",
                      ATG_FMT(o->from));
        return;
    }
    cli_store_say(a,
                  "From %.*s: %llu records added, %llu updated, %llu with nothing new, %llu "
                  "pictures, %llu persons erased.\n",
                  ATG_FMT(o->from), (unsigned long long)o->added, (unsigned long long)o->updated,
                  (unsigned long long)o->same, (unsigned long long)o->pictures,
                  (unsigned long long)o->erased);
    if (o->conflicts)
        cli_store_say(a, "%llu records were changed on both sides: 'antigone conflicts list'.\n",
                      (unsigned long long)o->conflicts);
    for (uint64_t i = 0; i < o->refused && i < BUNDLES_TOLD; i++)
        (void)fprintf(stderr, "antigone: Not taken: %.*s.\n", ATG_FMT(o->told[i]));
}

static int run_open(const args *a) {
    STORE_SESSION s = {0};
    bundle_order order = {.paths = (const char *const *)a->operands,
                          .n_paths = (uint32_t)a->n,
                          .changed_history = cli_has(a, OPT_CHANGED_HISTORY)};
    bundle_opened opened;
    atg_err err = {0};
    int code = cli_store_open_here(a, &s);

    if (code)
        return code;
    order.progress = progress_start(a);
    if (bundles_open(s.c, &s.who, s.arena, &order, &opened, &err)) {
        progress_clear();
        return cli_fail(a->operands[0], &err);
    }
    progress_clear();
    say_opened(a, &opened);
    return opened.conflicts || opened.refused ? EXIT_NO : EXIT_DONE;
}

/* ---- check ---- */

static void say_state(const bundle_state *s) {
    char at[INSTANT_TEXT + 1], hex[2 * KEY_ID + 1];
    key_id id = sign_key_id(&s->header.sender);

    bytes_hex(id.bytes, KEY_ID, hex);
    instant_text(s->header.at, at);
    (void)printf("Signed with key %s, made %s\n", hex, at);
    if (s->parts)
        (void)printf("%u parts, %u of them good\n", s->parts, s->good);
    else
        (void)printf("%u good parts; the end is missing\n", s->good);
    if (!s->n_missing)
        return;
    (void)printf("Missing or damaged:");
    for (uint32_t i = 0; i < s->n_missing && i < MISSING_SHOWN; i++)
        (void)printf(" %u", s->missing[i]);
    (void)printf("%s\nIn a file that holds all parts, copy again from byte %llu on.\n",
                 s->n_missing > MISSING_SHOWN ? " ..." : "",
                 (unsigned long long)s->first_missing_at);
}

static int run_check(const args *a) {
    ATG_AUTO(bundle_files) files = NULL;
    bundle_state state;
    atg_err err = {0};

    if (bundle_files_open((const char *const *)a->operands, (uint32_t)a->n, &files, &err) ||
        bundle_files_check(files, progress_start(a), &state, &err)) {
        progress_clear();
        return cli_fail(NULL, &err);
    }
    progress_clear();
    say_state(&state);
    return state.n_missing ? EXIT_NO : EXIT_DONE;
}

static const option_id make_options[] = {OPT_TO, OPT_ALL, OPT_PART_SIZE, OPT_OPERATION,
                                         HERE_OPTIONS};
static const option_id open_options[] = {OPT_CHANGED_HISTORY, HERE_OPTIONS};
static const option_id check_options[] = {OPT_QUIET, OPT_HELP};

const command command_bundle_make = {
    .name = "bundle make",
    .summary = "Seal what is new of an operation for another site, with a reason.",
    .operands = "FILE [CODE]...",
    .min_operands = 1,
    .max_operands = -1,
    .details = "All that is new since the last bundle for that site, or the files of the codes. "
               "Encrypted to the site and signed by this one. What donors did not agree to, what "
               "the site has no part in, and what is erased does not go; tombstones do. The "
               "history of each file goes along, so that the other side can follow it.",
    .options = make_options,
    .run = run_make,
};

const command command_bundle_open = {
    .name = "bundle open",
    .summary = "Verify a bundle of another site and merge it record by record, with a reason.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = -1,
    .details = "Everything is verified before anything is merged. Opening it twice changes "
               "nothing, and one that was interrupted goes on. What was changed on both sides is "
               "kept as a conflict for people to decide; nothing is overwritten silently. The exit "
               "code is 1 when there are conflicts or records that a rule refused.",
    .options = open_options,
    .run = run_open,
};

const command command_bundle_check = {
    .name = "bundle check",
    .summary = "Say which parts of a copy of a bundle are good, without any key.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = -1,
    .details = "The exit code is 1 when something has to be copied again.",
    .options = check_options,
    .run = run_check,
};
