/* SPDX-License-Identifier: Apache-2.0 */
/* Names and passwords as they are typed on any keyboard. */
#include "app/accounts_internal.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/bytes.h"
#include "base/mem.h"

enum { UNITS_MAX = 4096 };

void account_secret_wipe(account_secret *s) {
    bytes_wipe(s, sizeof(*s));
}

/* UTF-16 that is wiped when it leaves scope. */
typedef struct units {
    UChar text[UNITS_MAX];
    int32_t n;
} units;

static void units_wipe(units *u) {
    bytes_wipe(u, sizeof(*u));
}

/* 0: not UTF-8, or too long. */
static bool normalize(const UNormalizer2 *how, atg_str from, units *ret) {
    __attribute__((cleanup(units_wipe))) units plain = {.n = 0};
    UErrorCode code = U_ZERO_ERROR;

    if (!from.n || from.n > UNITS_MAX)
        return false;
    u_strFromUTF8(plain.text, UNITS_MAX, &plain.n, from.p, (int32_t)from.n, &code);
    ret->n = unorm2_normalize(how, plain.text, plain.n, ret->text, UNITS_MAX, &code);
    return U_SUCCESS(code) && code != U_STRING_NOT_TERMINATED_WARNING;
}

static bool to_utf8(const units *from, char *ret, size_t size, size_t *ret_n) {
    UErrorCode code = U_ZERO_ERROR;
    int32_t n = 0;

    u_strToUTF8(ret, (int32_t)size, &n, from->text, from->n, &code);
    *ret_n = (size_t)n;
    return U_SUCCESS(code);
}

static bool is_name_letter(UChar32 c, bool first) {
    int8_t type = u_charType(c);

    if (u_isalnum(c))
        return true;
    if (first)
        return false;
    return type == U_NON_SPACING_MARK || type == U_COMBINING_SPACING_MARK || c == '.' || c == '-' ||
           c == '_' || c == '@' || c == '+';
}

static bool is_name(const units *u) {
    int32_t at = 0, n = 0;

    while (at < u->n) {
        UChar32 c;

        U16_NEXT(u->text, at, u->n, c);
        if (!is_name_letter(c, n == 0))
            return false;
        n++;
    }
    return n > 0 && n <= ACCOUNT_NAME;
}

int account_fold(atg_arena *arena, atg_str typed, atg_str *ret, atg_err *err) {
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2 *fold = unorm2_getNFKCCasefoldInstance(&code);
    char text[4 * UNITS_MAX];
    units u = {.n = 0};
    size_t n;

    if (U_FAILURE(code))
        return atg_fail(err, ATG_EIO, "The tables of Unicode (ICU) are not there");
    if (!normalize(fold, atg_str_trim(typed), &u) || !is_name(&u) ||
        !to_utf8(&u, text, sizeof(text), &n))
        return atg_fail(err, ATG_EINVAL,
                        "The name of an account has 1 to %d letters, digits and . - _ @ +, and "
                        "begins with a letter or digit",
                        ACCOUNT_NAME);
    *ret = atg_arena_str(arena, (atg_str){text, n});
    return ret->p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for the name of an account");
}

int account_normal(atg_str typed, account_secret *ret, atg_err *err) {
    __attribute__((cleanup(units_wipe))) units u = {.n = 0};
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&code);

    if (U_FAILURE(code))
        return atg_fail(err, ATG_EIO, "The tables of Unicode (ICU) are not there");
    if (typed.n > PASSWORD_BYTES || !normalize(nfc, typed, &u) ||
        !to_utf8(&u, ret->text, sizeof(ret->text), &ret->n))
        return atg_fail(err, ATG_EDENIED, "A password is text of at most %d characters",
                        PASSWORD_LONGEST);
    return ATG_OK;
}
