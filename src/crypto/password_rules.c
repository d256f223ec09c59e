/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/utf8.h"
#include "crypto/password.h"

enum { FEW = 5 }; /* different characters that a password has at least */

/* Words that guessing starts with.  A password whose letters are one of them, once or several
 * times, is as good as the digits around it. */
static const char *const obvious[] = {
    "admin",     "administrator", "antigone",
    "azerty",    "azertyuiop",    "baseball",
    "changeme",  "contrasena",    "correcthorsebatterystaple",
    "default",   "dragon",        "football",
    "geheim",    "guest",         "hallo",
    "hello",     "iloveyou",      "interpol",
    "letmein",   "login",         "master",
    "monkey",    "motdepasse",    "parol",
    "parola",    "pass",          "passwd",
    "passwort",  "password",      "princess",
    "qaz",       "qazwsx",        "qwert",
    "qwerty",    "qwertyuiop",    "qwertz",
    "root",      "secret",        "senha",
    "sunshine",  "superman",      "test",
    "trustno",   "user",          "welcome",
    "wilkommen", "willkommen",    "zaqwsx",
};

typedef struct seen {
    uint32_t n, kinds, rows;
    uint32_t kind[FEW];
    char letters[PASSWORD_LONGEST];
    size_t n_letters;
} seen;

static void see(seen *s, uint32_t cp, uint32_t before) {
    bool is_new = s->kinds < FEW;

    for (uint32_t i = 0; i < s->kinds; i++)
        is_new &= s->kind[i] != cp;
    if (is_new)
        s->kind[s->kinds++] = cp;
    s->rows += s->n && (cp - before <= 1 || before - cp <= 1 || (cp == '0' && before == '9'));
    s->n++;
    if (cp >= 'A' && cp <= 'Z')
        cp += 'a' - 'A';
    /* what stands for a letter counts as it */
    cp = cp == '0' ? 'o' : cp == '@' ? 'a' : cp == '$' ? 's' : cp;
    if (cp >= 'a' && cp <= 'z' && s->n_letters < sizeof(s->letters))
        s->letters[s->n_letters++] = (char)cp;
}

/* Are the letters nothing but this word, once or several times? */
static bool repeats(const seen *s, atg_str word) {
    if (s->n_letters < word.n || s->n_letters % word.n)
        return false;
    for (size_t i = 0; i < s->n_letters; i += word.n)
        if (memcmp(s->letters + i, word.p, word.n) != 0)
            return false;
    return true;
}

static bool is_obvious(seen *s) {
    /* digits at the end that read as letters do not make another word */
    for (int stripped = 0; stripped < 2; stripped++) {
        for (size_t i = 0; i < sizeof(obvious) / sizeof(*obvious); i++)
            if (repeats(s, atg_str_of(obvious[i])))
                return true;
        while (s->n_letters && s->letters[s->n_letters - 1] == 'o')
            s->n_letters--;
    }
    return false;
}

int password_rules(atg_str password, atg_err *err) {
    uint32_t before = 0;
    seen s = {0};

    if (password.n > PASSWORD_BYTES)
        return atg_fail(err, ATG_EDENIED, "A password has at most %d characters",
                        (int)PASSWORD_LONGEST);
    while (password.n) {
        size_t len = utf8_len(password.p, password.n);
        uint32_t cp = utf8_next(&password);

        if (len == 0 || cp < ' ' || (cp >= 0x7f && cp < 0xa0))
            return atg_fail(err, ATG_EINVAL,
                            "A password is text in UTF-8 without control characters");
        see(&s, cp, before);
        before = cp;
    }
    if (s.n < PASSWORD_SHORTEST)
        return atg_fail(err, ATG_EDENIED,
                        "A password has at least %d characters, this one has %u: take four words "
                        "that have nothing to do with each other",
                        (int)PASSWORD_SHORTEST, s.n);
    if (s.n > PASSWORD_LONGEST)
        return atg_fail(err, ATG_EDENIED, "A password has at most %d characters",
                        (int)PASSWORD_LONGEST);
    if (s.kinds < FEW || s.rows + 3 >= s.n || is_obvious(&s))
        return atg_fail(err, ATG_EDENIED,
                        "This password is among the first that are tried: take four words that "
                        "have nothing to do with each other");
    return ATG_OK;
}
