/* SPDX-License-Identifier: Apache-2.0 */
/* One row a command; each has a file of its own. */
#ifndef ATG_CLI_COMMANDS_H
#define ATG_CLI_COMMANDS_H

#include "cli/cli.h"

extern const command command_add;
extern const command command_audit_checkpoint;
extern const command command_audit_export;
extern const command command_audit_key;
extern const command command_audit_verify;
extern const command command_backup;
extern const command command_bundle_check;
extern const command command_bundle_make;
extern const command command_bundle_open;
extern const command command_code;
extern const command command_completion;
extern const command command_conflicts_decide;
extern const command command_conflicts_list;
extern const command command_convert;
extern const command command_direct;
extern const command command_doctor;
extern const command command_duplicates;
extern const command command_edit;
extern const command command_erase;
extern const command command_exclusions;
extern const command command_exercise_make;
extern const command command_exercise_score;
extern const command command_exercise_truth;
extern const command command_export;
extern const command command_families_check;
extern const command command_families_power;
extern const command command_help;
extern const command command_history;
extern const command command_identify;
extern const command command_import;
extern const command command_init;
extern const command command_keys_add;
extern const command command_keys_rotate;
extern const command command_leads;
extern const command command_list;
extern const command command_login;
extern const command command_logout;
extern const command command_lr;
extern const command command_match;
extern const command command_merge;
extern const command command_face_calibrate;
extern const command command_face_checklist;
extern const command command_face_conclude;
extern const command command_face_leads;
extern const command command_exercise_photographs;
extern const command command_face_read;
extern const command command_face_report;
extern const command command_face_search;
extern const command command_model_check;
extern const command command_model_install;
extern const command command_model_list;
extern const command command_password;
extern const command command_picture;
extern const command command_reference_check;
extern const command command_restore;
extern const command command_search;
extern const command command_serve;
extern const command command_show;
extern const command command_sites_add;
extern const command command_sites_card;
extern const command command_sites_join;
extern const command command_sites_leave;
extern const command command_sites_list;
extern const command command_sites_remove;
extern const command command_state;
extern const command command_unmerge;
extern const command command_users_add;
extern const command command_users_block;
extern const command command_users_grant;
extern const command command_users_list;
extern const command command_users_reset;
extern const command command_users_revoke;
extern const command command_users_unblock;
extern const command command_version;
extern const command command_withdraw;

#endif
