/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
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

/* Of how many of the frequent words the letters are made, one behind the other, at least; MANY:
 * more than two, or of none.  A word that is repeated counts once. */
enum { MANY = 3 };

static bool repeats(const seen *s, atg_str word) {
    if (s->n_letters < word.n || s->n_letters % word.n)
        return false;
    for (size_t i = 0; i < s->n_letters; i += word.n)
        if (memcmp(s->letters + i, word.p, word.n) != 0)
            return false;
    return true;
}

static void extend(const seen *s, size_t at, atg_str word, unsigned char fewest[]) {
    size_t end = at + word.n;

    if (end <= s->n_letters && memcmp(s->letters + at, word.p, word.n) == 0 &&
        fewest[at] + 1 < fewest[end])
        fewest[end] = (unsigned char)(fewest[at] + 1);
}

static bool is_frequent(const seen *s) {
    unsigned char fewest[PASSWORD_LONGEST + 1];
    atg_str all = atg_str_of(password_words);

    memset(fewest, MANY, sizeof(fewest));
    fewest[0] = 0;
    for (atg_str rest = all; rest.n;)
        if (repeats(s, atg_str_cut(&rest, '\n')))
            return true;
    for (size_t at = 0; at < s->n_letters; at++)
        for (atg_str rest = fewest[at] < MANY - 1 ? all : (atg_str){"", 0}; rest.n;)
            extend(s, at, atg_str_cut(&rest, '\n'), fewest);
    /* two words are enough when they alone are as long as a password is to be */
    return s->n_letters && (fewest[s->n_letters] == 1 ||
                            (fewest[s->n_letters] < MANY && s->n_letters < PASSWORD_SHORTEST));
}

static bool is_obvious(seen *s) {
    /* digits at the end that read as letters do not make another word */
    for (int stripped = 0; stripped < 2; stripped++) {
        for (size_t i = 0; i < sizeof(obvious) / sizeof(*obvious); i++)
            if (repeats(s, atg_str_of(obvious[i])))
                return true;
        if (is_frequent(s))
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

/* ---- where it is used ---- */

enum { WORD_LEAST = 4, WORD_MOST = 200 };

static uint32_t small_letter(char c) {
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Without blanks. */
static size_t squeeze(atg_str text, char *ret, size_t most) {
    size_t n = 0;

    for (size_t i = 0; i < text.n && n < most; i++)
        if (text.p[i] != ' ')
            ret[n++] = (char)small_letter(text.p[i]);
    return n;
}

int password_context(atg_str password, const atg_str *words, uint32_t n, atg_err *err) {
    char typed[PASSWORD_BYTES], word[WORD_MOST];
    size_t length = squeeze(password, typed, sizeof(typed));
    bool found = false;

    for (uint32_t i = 0; i < n && !found; i++) {
        size_t w = squeeze(words[i], word, sizeof(word));

        found = w >= WORD_LEAST && memmem(typed, length, word, w);
    }
    sodium_memzero(typed, sizeof(typed));
    return found ? atg_fail(err, ATG_EINVAL,
                            "A password does not have the name of the account, of an agency or of "
                            "an operation in it")
                 : ATG_OK;
}
