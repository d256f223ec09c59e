/* SPDX-License-Identifier: Apache-2.0 */
/* The sites that bundles are exchanged with. */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/input.h"
#include "cli/show.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 20 };

static int run_card(const args *a) {
    STORE_SESSION s = {0};
    char text[SITECARD_MAX], print[SITECARD_FINGERPRINT + 1];
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (s.at->site_card(&s, text, print, &err))
        return cli_fail(NULL, &err);
    (void)printf("%s", text);
    if (!cli_has(a, OPT_QUIET))
        (void)fprintf(stderr, "antigone: Tell its fingerprint by another way: %s\n", print);
    return EXIT_DONE;
}

static int run_add(const args *a) {
    STORE_SESSION s = {0};
    new_site n = {.name = atg_str_of(a->operands[0]),
                  .agency = atg_str_of(a->value[OPT_AGENCY]),
                  .fingerprint = atg_str_of(a->value[OPT_FINGERPRINT])};
    int kind = a->value[OPT_KIND] ? record_word(site_kinds, atg_str_of(a->value[OPT_KIND])) : 0;
    atg_err err = {0};
    int code;

    if (!a->value[OPT_CARD] || !n.fingerprint.n || !n.agency.n)
        return cli_usage(a->command, "A site needs --card FILE, --fingerprint DIGITS and --agency "
                                     "NAME");
    if (kind < 0)
        return cli_usage(a->command, "There is no kind '%s'", a->value[OPT_KIND]);
    n.kind = (site_kind)kind;
    code = cli_store_open(a, &s);
    if (!code)
        code = input_bytes(s.arena, a->value[OPT_CARD], &n.card);
    if (code)
        return code;
    if (s.at->site_add(&s, &n, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a,
                  "%s is known now; 'antigone sites join %s' lets it take part in an operation.\n",
                  a->operands[0], a->operands[0]);
    return EXIT_DONE;
}

static int join(const args *a, bool on) {
    STORE_SESSION s = {0};
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (!code)
        code = cli_store_operation(a, &s);
    if (code)
        return code;
    if (s.at->site_join(&s, atg_str_of(a->operands[0]), on, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "%s takes %s in %.*s.\n", a->operands[0], on ? "part" : "no longer part",
                  ATG_FMT(s.operation.code));
    return EXIT_DONE;
}

static int run_join(const args *a) {
    return join(a, true);
}

static int run_leave(const args *a) {
    return join(a, false);
}

static int run_remove(const args *a) {
    STORE_SESSION s = {0};
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (s.at->site_remove(&s, atg_str_of(a->operands[0]), &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "%s is not known any more.\n", a->operands[0]);
    return EXIT_DONE;
}

static int run_list(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    STORE_SESSION s = {0};
    site_shown *list;
    uint32_t n;
    grid g;
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (s.at->site_list(&s, &list, &n, &err))
        return cli_fail(NULL, &err);
    g = grid_new(s.arena, "lllll");
    grid_text(&g, "Name");
    grid_text(&g, "Prefix");
    grid_text(&g, "Kind");
    grid_text(&g, "Agency");
    grid_text(&g, "Fingerprint");
    for (uint32_t i = 0; i < n; i++) {
        grid_cell(&g, list[i].name);
        grid_cell(&g, list[i].prefix);
        grid_cell(&g, list[i].kind);
        grid_cell(&g, list[i].agency);
        grid_cell(&g, list[i].fingerprint);
    }
    if (buf && grid_print(&g, buf, &err))
        return cli_fail(NULL, &err);
    return cli_write(a, buf);
}

static const option_id add_options[] = {OPT_CARD, OPT_FINGERPRINT, OPT_AGENCY, OPT_KIND,
                                        STORE_OPTIONS};
static const option_id join_options[] = {OPT_OPERATION, STORE_OPTIONS};
static const option_id options[] = {STORE_OPTIONS};

const command command_sites_card = {
    .name = "sites card",
    .summary = "Print this site's card, for others to seal bundles to.",
    .operands = "",
    .options = options,
    .run = run_card,
};

const command command_sites_add = {
    .name = "sites add",
    .summary = "Know another site by its card, after comparing the fingerprint, with a reason.",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .options = add_options,
    .run = run_add,
};

const command command_sites_join = {
    .name = "sites join",
    .summary = "Let a site take part in an operation.",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .options = join_options,
    .run = run_join,
};

const command command_sites_leave = {
    .name = "sites leave",
    .summary = "Let a site take part in an operation no longer.",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .options = join_options,
    .run = run_leave,
};

const command command_sites_remove = {
    .name = "sites remove",
    .summary = "Forget a site: no bundle goes there, none from there is opened.",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .run = run_remove,
};

const command command_sites_list = {
    .name = "sites list",
    .summary = "List the sites that are known.",
    .operands = "",
    .options = options,
    .run = run_list,
};
