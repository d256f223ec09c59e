/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/keyfile.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/instant.h"
#include "base/number.h"
#include "base/utf8.h"

enum { LINES = 6 };

static const char first_line[] = "antigone key file 1";

void keyfile_wipe(keyfile *f) {
    bytes_wipe(f, sizeof(*f));
}

/* ---- its text ---- */

/* What stands before the key, and what the key is bound to. */
static size_t head(const keyfile *f, char ret[KEYFILE_MAX]) {
    char made[INSTANT_TEXT + 1], master[2 * KEY_ID + 1], salt[2 * KEY_SALT + 1];
    size_t n;

    instant_text(f->made, made);
    bytes_hex(f->master.bytes, KEY_ID, master);
    n = (size_t)snprintf(ret, KEYFILE_MAX, "%s\nkeeper %s\nmade %s\nmaster %s\n", first_line,
                         f->keeper, made, master);
    if (f->plain)
        return n + (size_t)snprintf(ret + n, KEYFILE_MAX - n, "plain\n");
    bytes_hex(f->kdf.salt.bytes, KEY_SALT, salt);
    return n + (size_t)snprintf(ret + n, KEYFILE_MAX - n, "argon2id %u %u %s\n", f->kdf.passes,
                                f->kdf.kib, salt);
}

static size_t key_size(const keyfile *f) {
    return f->plain ? (size_t)KEY_SIZE : (size_t)SEAL_KEY_SIZE;
}

size_t keyfile_text(const keyfile *f, char ret[KEYFILE_MAX]) {
    char hex[2 * SEAL_KEY_SIZE + 1];
    size_t n = head(f, ret);

    bytes_hex(f->key, key_size(f), hex);
    n += (size_t)snprintf(ret + n, KEYFILE_MAX - n, "key %s\n", hex);
    bytes_wipe(hex, sizeof(hex));
    return n;
}

static bool is_keeper(atg_str s) {
    if (s.n == 0 || s.n > KEYFILE_KEEPER || atg_str_trim(s).n != s.n)
        return false;
    for (size_t i = 0, n; i < s.n; i += n) {
        n = utf8_len(s.p + i, s.n - i);
        if (n == 0 || (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    }
    return true;
}

/* Take `word` off the front of the line. */
static bool skip(atg_str *line, atg_str word) {
    if (line->n < word.n || memcmp(line->p, word.p, word.n) != 0)
        return false;
    line->p += word.n;
    line->n -= word.n;
    return true;
}

static bool read_kdf(atg_str line, keyfile *f) {
    atg_str passes, kib;

    if (atg_str_eq(line, ATG_STR("plain"))) {
        f->plain = true;
        return true;
    }
    if (!skip(&line, ATG_STR("argon2id ")))
        return false;
    passes = atg_str_cut(&line, ' ');
    kib = atg_str_cut(&line, ' ');
    return number_count(passes, &f->kdf.passes) && number_count(kib, &f->kdf.kib) &&
           password_kdf_valid(&f->kdf) && bytes_from_hex(line, f->kdf.salt.bytes, KEY_SALT);
}

static bool read_line(uint32_t number, atg_str line, keyfile *f) {
    switch (number) {
    case 1:
        return atg_str_eq(line, ATG_STR(first_line));
    case 2:
        if (!skip(&line, ATG_STR("keeper ")) || !is_keeper(line))
            return false;
        memcpy(f->keeper, line.p, line.n);
        return true;
    case 3:
        return skip(&line, ATG_STR("made ")) && instant_read(line, &f->made);
    case 4:
        return skip(&line, ATG_STR("master ")) && bytes_from_hex(line, f->master.bytes, KEY_ID);
    case 5:
        return read_kdf(line, f);
    default:
        return skip(&line, ATG_STR("key ")) && bytes_from_hex(line, f->key, key_size(f));
    }
}

int keyfile_read(atg_str text, keyfile *ret, atg_err *err) {
    static const char *const lines[LINES] = {"'antigone key file 1'",
                                             "its keeper",
                                             "when it was made",
                                             "the id of its master key",
                                             "how the passphrase is stretched",
                                             "its key"};
    KEYFILE_AUTO keyfile f = {.plain = false};
    char written[KEYFILE_MAX];
    atg_str rest = text;
    bool same;

    for (uint32_t i = 1; i <= LINES; i++)
        if (!read_line(i, atg_str_cut(&rest, '\n'), &f))
            return atg_fail_at(err, ATG_EPARSE, i, 1,
                               "This is no key file: line %u is not %s as it is written", i,
                               lines[i - 1]);
    same = atg_str_eq((atg_str){written, keyfile_text(&f, written)}, text);
    bytes_wipe(written, sizeof(written));
    if (!same)
        return atg_fail(err, ATG_EPARSE,
                        "This is no key file as it is written: it has more or other characters");
    *ret = f;
    return ATG_OK;
}

/* ---- its key ---- */

static int begin(const key256 *master, atg_str keeper, int64_t now, keyfile *f, atg_err *err) {
    if (!is_keeper(keeper))
        return atg_fail(
            err, ATG_EINVAL,
            "A keeper's name has 1 to %d bytes, no control characters, and no blanks at "
            "its ends",
            (int)KEYFILE_KEEPER);
    if (now < INSTANT_MIN || now > INSTANT_MAX)
        return atg_fail(err, ATG_EINVAL, "The clock is outside of the years 0001 to 9999");
    memcpy(f->keeper, keeper.p, keeper.n);
    f->made = now;
    f->master = key_id_of(master);
    return ATG_OK;
}

int keyfile_make(const key256 *master, atg_str keeper, atg_str passphrase, password_cost cost,
                 int64_t now, keyfile *ret, atg_err *err) {
    keyfile f = {.plain = false};
    KEY_AUTO key256 under = {{0}};
    char place[KEYFILE_MAX];
    int rc = begin(master, keeper, now, &f, err);

    if (rc == ATG_OK)
        rc = password_rules(passphrase, err);
    if (rc == ATG_OK)
        rc = password_kdf_new(cost, &f.kdf, err);
    if (rc == ATG_OK)
        rc = password_key(passphrase, &f.kdf, &under, err);
    if (rc == ATG_OK)
        rc = seal_key(&under, (atg_str){place, head(&f, place)}, master, f.key, err);
    if (rc == ATG_OK)
        *ret = f;
    return rc;
}

int keyfile_make_plain(const key256 *master, atg_str keeper, int64_t now, keyfile *ret,
                       atg_err *err) {
    KEYFILE_AUTO keyfile f = {.plain = true};
    int rc = begin(master, keeper, now, &f, err);

    if (rc)
        return rc;
    memcpy(f.key, master->bytes, KEY_SIZE);
    *ret = f;
    return ATG_OK;
}

int keyfile_open(const keyfile *f, atg_str passphrase, key256 *ret, atg_err *err) {
    KEY_AUTO key256 under = {{0}}, master = {{0}};
    char place[KEYFILE_MAX] = "";
    key_id id;
    int rc = ATG_OK;

    if (f->plain)
        memcpy(master.bytes, f->key, KEY_SIZE);
    else
        rc = password_key(passphrase, &f->kdf, &under, err);
    if (rc)
        return rc;
    if (!f->plain && seal_open_key(&under, (atg_str){place, head(f, place)},
                                   (atg_str){(const char *)f->key, SEAL_KEY_SIZE}, &master, NULL))
        return atg_fail(err, ATG_EDENIED,
                        "The passphrase is not that of this key file of %s, or the file was "
                        "changed",
                        f->keeper);
    id = key_id_of(&master);
    if (!key_id_eq(&id, &f->master))
        return atg_fail(err, ATG_EDENIED, "The key file of %s was changed", f->keeper);
    *ret = master;
    return ATG_OK;
}

int keyfile_change(const keyfile *f, atg_str old, atg_str passphrase, password_cost cost,
                   int64_t now, keyfile *ret, atg_err *err) {
    KEY_AUTO key256 master = {{0}};
    int rc = keyfile_open(f, old, &master, err);

    return rc ? rc : keyfile_make(&master, atg_str_of(f->keeper), passphrase, cost, now, ret, err);
}

/* ---- on disk ---- */

int keyfile_save(const char *path, const keyfile *f, atg_err *err) {
    char text[KEYFILE_MAX];
    int rc = file_write_private(path, (atg_str){text, keyfile_text(f, text)}, err);

    bytes_wipe(text, sizeof(text));
    return rc;
}

int keyfile_load(const char *path, bool lax, keyfile *ret, atg_err *err) {
    unsigned char text[KEYFILE_MAX];
    size_t n = sizeof(text);
    int rc = file_read_private(path, lax, text, &n, err);

    if (rc == ATG_OK)
        rc = keyfile_read((atg_str){(const char *)text, n}, ret, err);
    bytes_wipe(text, sizeof(text));
    return rc;
}
