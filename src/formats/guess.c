/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/formats.h>

#include <string.h>

#include "formats/jsonscan.h"
#include "formats/opwords.h"

enum { HEAD = 4096 };

/* The start of the file, UTF-16 narrowed to bytes and without byte order mark. */
static atg_str head_of(atg_str bytes, char room[HEAD]) {
    bool little = bytes.n >= 2 && memcmp(bytes.p, "\xff\xfe", 2) == 0;
    bool big = bytes.n >= 2 && memcmp(bytes.p, "\xfe\xff", 2) == 0;
    size_t n = 0;

    if (bytes.n >= 3 && memcmp(bytes.p, "\xef\xbb\xbf", 3) == 0)
        bytes = (atg_str){bytes.p + 3, bytes.n - 3};
    if (!little && !big)
        return (atg_str){bytes.p, bytes.n < HEAD ? bytes.n : HEAD};
    for (size_t i = big ? 3 : 2; i < bytes.n && n < HEAD; i += 2)
        room[n++] = bytes.p[i];
    return (atg_str){room, n};
}

static bool contains(atg_str s, const char *z) {
    return s.n && memmem(s.p, s.n, z, strlen(z));
}

static bool ends_with(atg_str s, const char *z) {
    size_t n = strlen(z);

    return s.n >= n && atg_str_eq_nocase((atg_str){s.p + s.n - n, n}, atg_str_of(z));
}

static atg_format of_schema(atg_str schema) {
    if (atg_str_eq(schema, atg_str_of(opwords_schema)))
        return ATG_FORMAT_OPERATION;
    if (atg_str_eq(schema, ATG_STR("dvi-reference/1")))
        return ATG_FORMAT_REFERENCE;
    if (atg_str_eq(schema, ATG_STR("str-frequencies/1")))
        return ATG_FORMAT_FREQUENCIES;
    return ATG_FORMAT_UNKNOWN;
}

/* The member "schema" of the outermost object, wherever it stands. */
static atg_format json_schema(atg_str bytes) {
    size_t at = 0;
    atg_str key, text;

    while (at < bytes.n && bytes.p[at] != '{')
        at++;
    at++;
    for (bool first = true; scan_member(bytes, &at, first, &key) == SCAN_FOUND; first = false) {
        if (atg_str_eq(key, ATG_STR("schema")))
            return scan_string(bytes, &at, &text) ? of_schema(text) : ATG_FORMAT_UNKNOWN;
        if (!scan_value(bytes, &at))
            break;
    }
    return ATG_FORMAT_UNKNOWN;
}

static atg_format of_table(atg_str name, atg_str head) {
    atg_str line = atg_str_trim(atg_str_cut(&head, '\n'));
    size_t n = 0;

    if (contains(line, "Familias"))
        return ATG_FORMAT_FAMILIAS;
    while (n < line.n && !strchr("\t;,", line.p[n]))
        n++;
    if (n == line.n)
        return ends_with(name, ".fam") ? ATG_FORMAT_FAMILIAS : ATG_FORMAT_UNKNOWN;

    atg_str first = atg_str_trim((atg_str){line.p, n});

    if (first.n >= 2 && first.p[0] == '"' && first.p[first.n - 1] == '"')
        first = atg_str_trim((atg_str){first.p + 1, first.n - 2});
    if (atg_str_eq_nocase(first, ATG_STR("allele")) || atg_str_eq_nocase(first, ATG_STR("alleles")))
        return ATG_FORMAT_FREQUENCIES;
    return ends_with(name, ".fam") ? ATG_FORMAT_FAMILIAS : ATG_FORMAT_TABLE;
}

atg_format atg_format_guess(atg_str name, atg_str bytes) {
    char room[HEAD];
    atg_str head = head_of(bytes, room), text = atg_str_trim(head);

    if (text.n == 0 || memchr(text.p, '\0', text.n))
        return ATG_FORMAT_UNKNOWN;
    if (*text.p == '{')
        return json_schema(bytes);
    if (*text.p == '<')
        return contains(head, "CODISImportFile") ? ATG_FORMAT_CMF : ATG_FORMAT_UNKNOWN;
    return of_table(name, text);
}
