/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/keepers.h"
#include "cli/input.h"
#include "cli/remote.h"
#include "cli/secret.h"

enum { PATH_SIZE = 4096 };

static const char *option_or(const args *a, option_id id, const char *variable) {
    const char *text = a->value[id];

    if (!text)
        text = getenv(variable); /* NOLINT(concurrency-mt-unsafe): one thread */
    return text && *text ? text : NULL;
}

const char *cli_store_folder(const args *a) {
    return option_or(a, OPT_STORE, "ANTIGONE_STORE");
}

const char *cli_store_postgres(const args *a) {
    return option_or(a, OPT_POSTGRES, "ANTIGONE_POSTGRES");
}

const char *cli_store_key(const args *a, char *room, size_t size) {
    const char *path = option_or(a, OPT_KEY, "ANTIGONE_KEY");
    const char *folder = cli_store_folder(a);

    if (path || !folder)
        return path;
    (void)snprintf(room, size, "%s/key", folder);
    return room;
}

static int ask(void *user, atg_str *ret, atg_err *err) {
    secret *passphrase = user;
    int code = secret_ask("ANTIGONE_PASSPHRASE_FILE", "Passphrase of the key file", passphrase);

    /* the prompt has said why */
    if (code)
        return atg_fail(err, ATG_EDENIED, "The key file was not opened");
    *ret = secret_str(passphrase);
    return ATG_OK;
}

int cli_store_master(const args *a, key256 *ret) {
    char room[PATH_SIZE];
    SECRET_AUTO passphrase = {.n = 0};
    keepers_from from = {cli_store_key(a, room, sizeof(room)), ask, &passphrase};
    atg_err err = {0};

    if (!from.path)
        return cli_usage(a->command, "Say where the key file is: --key FILE, or ANTIGONE_KEY");
    return keepers_open(&from, ret, &err) ? cli_fail(from.path, &err) : EXIT_DONE;
}

const char *cli_store_server(const args *a) {
    if (a->value[OPT_SERVER])
        return a->value[OPT_SERVER];
    return a->value[OPT_STORE] || a->value[OPT_POSTGRES]
               ? NULL
               : option_or(a, OPT_SERVER, "ANTIGONE_SERVER");
}

int cli_store_place(const args *a) {
    if (!cli_takes(a->command, OPT_STORE) || cli_takes(a->command, OPT_SERVER) ||
        cli_has(a, OPT_OPENAPI) || !cli_store_server(a) || cli_store_folder(a) ||
        cli_store_postgres(a))
        return EXIT_DONE;
    return cli_usage(a->command, CLI_HERE_ONLY, a->command->name);
}

int cli_store_only_here(const args *a, store_session *ret) {
    KEY_AUTO key256 master = {{0}};
    atg_err err = {0};
    int code;

    *ret = (store_session){.at = &backend_local, .arena = input_arena()};
    if (!ret->arena)
        return EXIT_MACHINE;
    if (!cli_store_folder(a) && !cli_store_postgres(a))
        return cli_usage(a->command, "Say where the cases are: --store FOLDER, or ANTIGONE_STORE");
    code = cli_store_master(a, &master);
    if (code)
        return code;

    cases_options o = {
        .directory = cli_store_folder(a), .conninfo = cli_store_postgres(a), .master = &master};

    return cases_open(&o, &ret->c, &err) ? cli_fail(cli_store_folder(a), &err) : EXIT_DONE;
}

int cli_store_only(const args *a, store_session *ret) {
    const char *server = cli_store_server(a);

    if (!server)
        return cli_store_only_here(a, ret);
    *ret = (store_session){.at = &backend_remote, .arena = input_arena()};
    if (!ret->arena)
        return EXIT_MACHINE;
    if (a->value[OPT_STORE] || a->value[OPT_POSTGRES])
        return cli_usage(a->command, "Say where the cases are once: --server, or --store");
    return remote_open(a, server, ret);
}

static int let_in(const args *a, int code, store_session *s) {
    if (!code)
        code = s->at->let_in(a, s);
    s->who.reason = atg_str_of(a->value[OPT_REASON]);
    return code;
}

int cli_store_open(const args *a, store_session *ret) {
    return let_in(a, cli_store_only(a, ret), ret);
}

int cli_store_open_here(const args *a, store_session *ret) {
    return let_in(a, cli_store_only_here(a, ret), ret);
}

void cli_store_close(store_session *s) {
    if (s->at)
        s->at->close(s);
    atg_arena_free(s->arena);
}

int cli_store_operation(const args *a, store_session *s) {
    file_page page;
    atg_err err = {0};

    if (a->value[OPT_OPERATION]) {
        int code = cli_store_file(s, a->value[OPT_OPERATION], &s->operation);

        if (code || s->operation.kind == RECORD_OPERATION)
            return code;
        return cli_usage(a->command, "%.*s is no operation", ATG_FMT(s->operation.code));
    }
    if (s->at->operations(s, false, &page, &err))
        return cli_fail(NULL, &err);
    if (page.n == 1) {
        s->operation = *page.rows;
        return EXIT_DONE;
    }
    if (!page.n)
        return cli_usage(a->command, "There is no operation yet in which this account has a role: "
                                     "'antigone add operation name=... kind=closed' makes one");
    return cli_usage(a->command, "Say which operation: --operation %.*s, ...",
                     ATG_FMT(page.rows->code));
}

int cli_store_file(store_session *s, const char *code, file_row *ret) {
    atg_err err = {0};
    int rc = s->at->find(s, atg_str_of(code), ret, &err);

    if (rc == ATG_ENOTFOUND)
        (void)atg_fail(&err, rc, "There is no file %s", code);
    return rc ? cli_fail(NULL, &err) : EXIT_DONE;
}

int cli_store_kind(const args *a, const char *text, record_kind *ret) {
    int kind = record_kind_of(atg_str_of(text));
    char list[600] = "";
    size_t n = 0;

    if (kind >= 0) {
        *ret = (record_kind)kind;
        return EXIT_DONE;
    }
    for (int k = 0; k < RECORD_KINDS && n + 40 < sizeof(list); k++)
        n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "",
                              record_types[k].name);
    return cli_usage(a->command, "'%s' is no kind of record; there are: %s", text, list);
}

/* "@FILE": the picture in a file. */
static int set_picture(store_session *s, const char *path, record *r, uint32_t f) {
    atg_str bytes;
    atg_err err = {0};
    int code = input_bytes(s->arena, path, &bytes);

    if (!code && s->at->picture_put(s, r, f, bytes, &err))
        code = cli_fail(path, &err);
    return code;
}

static int set_field(store_session *s, const char *at, record *r) {
    atg_str rest = atg_str_of(at);
    atg_str name = atg_str_cut(&rest, '=');
    int f = record_field_of(r->kind, name);
    atg_err err = {0};

    if (f >= 0 && record_field(r->kind, (uint32_t)f)->kind == FIELD_BLOB && rest.n > 1 &&
        rest.p[0] == '@')
        return set_picture(s, rest.p + 1, r, (uint32_t)f);
    if (f < 0)
        (void)atg_fail(&err, ATG_EPARSE, "A %s has no field '%.*s'", record_types[r->kind].title,
                       ATG_FMT(name));
    else if (value_read(s->arena, record_field(r->kind, (uint32_t)f), rest, &r->fields[f], &err))
        err.code = ATG_EPARSE;
    return err.code ? cli_fail(NULL, &err) : EXIT_DONE;
}

int cli_store_fields(store_session *s, int n, char *const *words, record *r) {
    int code = EXIT_DONE;

    for (int i = 0; i < n && !code; i++) {
        if (!strchr(words[i], '=')) {
            atg_err err = {0};

            (void)atg_fail(&err, ATG_EPARSE, "Write a field as FIELD=VALUE, not '%.80s'", words[i]);
            return cli_fail(NULL, &err);
        }
        code = set_field(s, words[i], r);
    }
    return code;
}

void cli_store_say(const args *a, const char *fmt, ...) {
    va_list ap;

    if (cli_has(a, OPT_QUIET))
        return;
    va_start(ap, fmt);
    (void)vprintf(fmt, ap);
    va_end(ap);
}
