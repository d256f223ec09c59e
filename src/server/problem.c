/* SPDX-License-Identifier: Apache-2.0 */
#include "server/problem.h"

#include "app/rights.h"

const problem_row problem_rows[PROBLEMS] = {
    [PROBLEM_NONE] = {200, "none", "Nothing is wrong"},
    [PROBLEM_REQUEST] = {400, "bad-request", "The request cannot be understood"},
    [PROBLEM_JSON] = {400, "bad-json", "The body is not JSON"},
    [PROBLEM_LOGIN] = {401, "not-let-in", "Not let in"},
    [PROBLEM_NO_SESSION] = {401, "no-session", "There is no session: log in"},
    [PROBLEM_CODE] = {401, "code-required", "The code of the second factor is needed"},
    [PROBLEM_PASSWORD] = {403, "password-change-required", "A password of one's own is needed"},
    [PROBLEM_DENIED] = {403, "denied", "A right or a rule is in the way"},
    [PROBLEM_FACTOR] = {403, "second-factor-required", "The account needs a second factor first"},
    [PROBLEM_PURPOSE] = {403, "purpose-required", "The purpose is needed (Antigone-Purpose)"},
    [PROBLEM_CONFIRM] = {403, "confirmation-required", "A fresh code or password is needed"},
    [PROBLEM_SEALED] = {403, "sealed", "The picture is sealed"},
    [PROBLEM_CROSS_SITE] = {403, "cross-site", "Requests of other sites are refused"},
    [PROBLEM_UNKNOWN] = {404, "not-found", "There is nothing there"},
    [PROBLEM_METHOD] = {405, "method-not-allowed", "Not with this method"},
    [PROBLEM_CONFLICT] = {409, "conflict", "It contradicts what is there"},
    [PROBLEM_OFFSET] = {409, "offset", "The upload goes on at another byte (Upload-Offset)"},
    [PROBLEM_CHANGED] = {412, "changed", "Somebody else changed it"},
    [PROBLEM_TOO_LARGE] = {413, "too-large", "The body is too large"},
    [PROBLEM_TARGET_LENGTH] = {414, "target-too-long", "The target is too long"},
    [PROBLEM_MEDIA_TYPE] = {415, "media-type", "Not with this type of body"},
    [PROBLEM_RANGE] = {416, "range", "There are no such bytes"},
    [PROBLEM_HOST] = {421, "misdirected", "This service is not known by that name"},
    [PROBLEM_CONTENT] = {422, "content", "What the body says cannot be"},
    [PROBLEM_NO_MATCH] = {428, "if-match-required", "If-Match with the revision is needed"},
    [PROBLEM_RATE] = {429, "rate", "Too many requests"},
    [PROBLEM_QUOTA] = {429, "quota", "The quota is used up"},
    [PROBLEM_FAILED] = {500, "failed", "The service failed"},
    [PROBLEM_BUSY] = {503, "busy", "The service is busy"},
    [PROBLEM_STORE] = {503, "store", "The store cannot be reached"},
    [PROBLEM_INTERRUPTED] = {503, "interrupted", "The service ended before the job did"},
    [PROBLEM_WORKER] = {503, "no-worker", "Nothing is decoded at the moment"},
    [PROBLEM_UPLOADS] = {503, "no-uploads", "No uploads are taken at the moment"},
    [PROBLEM_FULL] = {507, "full", "There is no room"},
};

problem_kind problem_of(const atg_err *err) {
    switch (err->code) {
    case ATG_EINVAL:
    case ATG_EPARSE:
        return PROBLEM_CONTENT;
    case ATG_ELIMIT:
        return PROBLEM_TOO_LARGE;
    case ATG_ENOTFOUND:
        return PROBLEM_UNKNOWN;
    case ATG_ECONFLICT:
        return PROBLEM_CONFLICT;
    case ATG_EDENIED:
        return rights_wants_code(err) ? PROBLEM_FACTOR : PROBLEM_DENIED;
    case ATG_EFULL:
        return PROBLEM_FULL;
    case ATG_EDB:
    case ATG_EIO:
        return PROBLEM_STORE;
    case ATG_ECANCEL:
    case ATG_ENOMEM:
        return PROBLEM_BUSY;
    default:
        return PROBLEM_FAILED;
    }
}

bool problem_told(problem_kind kind) {
    return kind != PROBLEM_FAILED && kind != PROBLEM_STORE;
}
