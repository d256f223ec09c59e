/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "base/json.h"

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 12);

    if (buf && cli_has(a, OPT_JSON)) {
        json j = json_new(buf);

        json_begin_object(&j);
        json_key(&j, "name");
        json_text(&j, "antigone");
        json_key(&j, "version");
        json_text(&j, ATG_VERSION);
        json_end(&j, '}');
    } else if (buf) {
        atg_buf_adds(buf, "antigone " ATG_VERSION "\n");
    }
    return cli_write(a, buf);
}

static const option_id options[] = {OPT_JSON, OPT_HELP};

const command command_version = {
    .name = "version",
    .summary = "Print the version.",
    .operands = "",
    .options = options,
    .run = run,
};
