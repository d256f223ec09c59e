/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "app/face_checklist.h"
#include "base/json.h"

enum { TEXT_MAX = 1 << 20 };

static void print_json(atg_buf *buf) {
    json j = json_new(buf);

    json_object_line(&j);
    for (uint32_t i = 0; i < face_features_n; i++) {
        json_key(&j, face_features[i].name);
        json_text(&j, "not_visible");
    }
    json_end(&j, '}');
    atg_buf_adds(buf, "\n");
}

static void print_text(atg_buf *buf) {
    atg_buf_adds(buf, "How to compare: feature by feature, each \"similar\", \"different\" or "
                      "\"not_visible\".\n\n");
    for (uint32_t i = 0; i < face_features_n; i++)
        atg_buf_printf(buf, "  %-12s %s: %s\n", face_features[i].name, face_features[i].title,
                       face_features[i].look);
    atg_buf_adds(buf, "\nHow to photograph:\n\n");
    for (uint32_t i = 0; face_capture[i]; i++)
        atg_buf_printf(buf, "  - %s\n", face_capture[i]);
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);

    if (buf && cli_has(a, OPT_JSON))
        print_json(buf);
    else if (buf)
        print_text(buf);
    return cli_write(a, buf);
}

static const option_id options[] = {OPT_JSON, OPT_OUTPUT, OPT_HELP};

const command command_face_checklist = {
    .name = "face checklist",
    .summary = "Print what to look at when comparing faces, and how to photograph them.",
    .operands = "",
    .details = "--json writes an empty checklist to fill in for 'antigone face conclude'.",
    .options = options,
    .run = run,
};
