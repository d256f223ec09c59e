/* SPDX-License-Identifier: Apache-2.0 */
#include "app/face_checklist.h"

#include <string.h>

#include "base/json_read.h"
#include "model/record.h"

const face_feature face_features[] = {
    {"shape", "Shape of the face", "outline as a whole, ratio of height to width, fullness"},
    {"forehead", "Forehead and hairline", "height and slope, where the hair begins, creases"},
    {"brows", "Eyebrows", "form, thickness, distance from each other and from the eyes"},
    {"eyes", "Eyes",
     "opening, lids, corners, distance; closed or sunken after death they say little"},
    {"cheeks", "Cheeks", "cheekbones, folds from nose to mouth, dimples"},
    {"nose", "Nose", "root, bridge, tip, wings, nostrils, septum seen from below"},
    {"mouth", "Mouth and lips", "groove above the lip, bow, thickness, corners, width"},
    {"teeth", "Teeth that show", "gaps, position, wear, work of a dentist"},
    {"chin", "Chin and jaw", "form, cleft, angle and line of the jaw, double chin"},
    {"ears", "Ears", "rim, inner folds, lobe free or grown on, piercings, how far they stand off"},
    {"facial_hair", "Facial hair", "where it grows; what is shaved says nothing"},
    {"lines", "Lines and creases", "course of lasting creases of the skin"},
    {"marks", "Marks", "moles, scars, tattoos, injuries healed before death: place, form, size"},
    {"asymmetry", "Asymmetry", "what differs between both halves: brows, nose, mouth, ears"},
};
const uint32_t face_features_n = sizeof(face_features) / sizeof(*face_features);

const char *const face_capture[] = {
    "Photograph before and after cleaning; do not alter or restore anything for the picture.",
    "Camera level with the face and square to it, at 1.5 m or more, longer lens rather than near.",
    "Whole head with ears and chin in the frame, the face at least 400 pixels wide.",
    ("Then both profiles and both half profiles, each at right angles to the head, not to the "
     "table."),
    "Even, diffuse light from both sides; no flash from the front, no hard shadow.",
    "Focus on the eyes; neutral ground; scale and file code beside the face, not on it.",
    "Gently close the mouth and straighten the head, where the pathologist permits.",
    ("If decomposition, injury or swelling hides a feature, say so on the file; take it all the "
     "same."),
    "Close views of ears, teeth and marks, each with a scale.",
    "Keep the original file of the camera; an edited copy is entered as retouched.",
    NULL,
};

enum { NOTE_MAX = 1000 };

static const char *const findings[] = {"similar", "different", "not_visible", NULL};
enum { SIMILAR, DIFFERENT };

typedef struct tally {
    uint32_t similar, different, noted;
} tally;

static int read_finding(const json_t *v, const char *name, tally *t, atg_err *err) {
    const json_t *word = json_is_object(v) ? json_object_get(v, "finding") : v;
    const json_t *note = json_is_object(v) ? json_object_get(v, "note") : NULL;
    int finding =
        json_is_string(word)
            ? record_word(findings, (atg_str){json_string_value(word), json_string_length(word)})
            : -1;

    if (finding < 0)
        return atg_fail(err, ATG_EPARSE,
                        "The feature '%s' is \"similar\", \"different\" or \"not_visible\"", name);
    if (note && (!json_is_string(note) || json_string_length(note) > NOTE_MAX))
        return atg_fail(err, ATG_EPARSE, "The note on '%s' is a text of at most %d bytes", name,
                        NOTE_MAX);
    if (json_is_object(v) && json_object_size(v) != (note ? 2U : 1U))
        return atg_fail(err, ATG_EPARSE, "The feature '%s' has a finding and a note, nothing else",
                        name);
    t->similar += finding == SIMILAR;
    t->different += finding == DIFFERENT;
    t->noted += finding == DIFFERENT && note && json_string_length(note) > 0;
    return ATG_OK;
}

static int check_support(const tally *t, uint32_t support, atg_err *err) {
    if (support == FACE_SUPPORT_EXCLUSION && !t->noted)
        return atg_fail(err, ATG_EPARSE,
                        "An exclusion rests on a feature that is \"different\", with a note that "
                        "says how");
    if ((support == FACE_SUPPORT_SUPPORT || support == FACE_SUPPORT_LIMITED_SUPPORT) && !t->similar)
        return atg_fail(err, ATG_EPARSE, "Support rests on a feature that is \"similar\"");
    if ((support == FACE_SUPPORT_SUPPORT || support == FACE_SUPPORT_LIMITED_SUPPORT) &&
        t->different > t->noted)
        return atg_fail(err, ATG_EPARSE,
                        "Support beside a feature that is \"different\" needs a note on it");
    return ATG_OK;
}

int face_checklist_check(atg_str checklist, uint32_t support, atg_err *err) {
    json_t *all = json_loadb(checklist.p, checklist.n, JSON_REJECT_DUPLICATES, NULL);
    tally t = {0};
    int rc = ATG_OK;

    if (!json_is_object(all))
        rc = atg_fail(err, ATG_EPARSE, "The checklist of a comparison of faces is a JSON object");
    for (uint32_t i = 0; i < face_features_n && !rc; i++) {
        const json_t *v = json_object_get(all, face_features[i].name);

        rc = v ? read_finding(v, face_features[i].name, &t, err)
               : atg_fail(err, ATG_EPARSE, "The checklist says nothing of '%s'",
                          face_features[i].name);
    }
    if (!rc && json_object_size(all) != face_features_n)
        rc = atg_fail(err, ATG_EPARSE, "The checklist has a feature that does not exist");
    json_decref(all);
    return rc ? rc : check_support(&t, support, err);
}
