/* The handlers behind the table in calls.c, one file a noun. For calls.c only. */
#ifndef AMTD_API_CALLS_H
#define AMTD_API_CALLS_H

#include "amtd/api/api.h"

typedef int work_call(struct tx *tx, const json_t *params, json_t **reply, struct err *err);

work_call call_host_add, call_host_import, call_host_set, call_host_remove;
work_call call_collection_put, call_collection_list, call_collection_show, call_collection_remove,
    call_collection_set, call_filter_names;
work_call call_profile_put, call_profile_list, call_profile_show, call_profile_remove;
work_call call_target_resolve;
void call_target_words(struct api_request *rq);
void call_calendar_list(struct api_request *rq);
work_call call_certificate_list, call_certificate_ca, call_certificate_ca_renew, call_certificate_client;
work_call call_password_list, call_password_show, call_password_forget, call_password_export,
    call_password_saved;
work_call call_filter_status, call_filter_confirm;
work_call call_run_list, call_activity_list;
work_call call_inventory_show, call_inventory_history, call_inventory_diff;
work_call call_discover_list, call_discover_diff;
void call_discover_start(struct api_request *rq);
void call_discover_cancel(struct api_request *rq);
work_call call_grant_list, call_api_list;
void call_activity_export(struct api_request *rq);
void call_activity_verify(struct api_request *rq);
void call_grant_add(struct api_request *rq);
void call_grant_remove(struct api_request *rq);
void call_daemon_status(struct api_request *rq);
void call_daemon_stop(struct api_request *rq);
void call_daemon_reload(struct api_request *rq);
void call_run_start(struct api_request *rq);
void call_run_cancel(struct api_request *rq);
work_call call_config_check, call_config_schema, call_config_declared, call_config_list, call_config_forget;
void call_config_declare(struct api_request *rq);
work_call call_job_check, call_job_schema, call_job_list;
void call_schedule_add(struct api_request *rq);
void call_schedule_list(struct api_request *rq);
void call_schedule_show(struct api_request *rq);
void call_schedule_remove(struct api_request *rq);
void call_schedule_enable(struct api_request *rq);
void call_schedule_disable(struct api_request *rq);
void call_job_run(struct api_request *rq);
void call_job_retry(struct api_request *rq);
void call_job_watch(struct api_request *rq);
void call_job_pause(struct api_request *rq);
void call_job_resume(struct api_request *rq);
void call_job_cancel(struct api_request *rq);
void call_ider_start(struct api_request *rq);

void call_console_list(struct api_request *rq);
void call_console_show(struct api_request *rq);
void call_console_events(struct api_request *rq);
void call_console_who(struct api_request *rq);
void call_console_lease(struct api_request *rq);
void call_console_message(struct api_request *rq);
void call_console_note(struct api_request *rq);
void call_console_broadcast(struct api_request *rq);
void call_console_send(struct api_request *rq);
void call_console_break(struct api_request *rq);
void call_console_up(struct api_request *rq);
void call_console_down(struct api_request *rq);
void call_console_logging(struct api_request *rq);
void call_console_disconnect(struct api_request *rq);
void call_console_roll(struct api_request *rq);
void call_log_show(struct api_request *rq);
void call_log_search(struct api_request *rq);
void call_log_events(struct api_request *rq);
void call_log_verify(struct api_request *rq);

void call_purge_run(struct api_request *rq);
void call_purge_show(struct api_request *rq);
void call_mail_login(struct api_request *rq);
void call_mail_send(struct api_request *rq);
void call_event_list(struct api_request *rq);
void call_event_follow(struct api_request *rq);
void call_event_show(struct api_request *rq);
void call_node_invite(struct api_request *rq);
void call_node_list(struct api_request *rq);
void call_node_show(struct api_request *rq);
void call_node_remove(struct api_request *rq);
void call_node_join(struct api_request *rq);
void call_client_invite(struct api_request *rq);
void call_client_list(struct api_request *rq);
void call_client_remove(struct api_request *rq);
void call_server_list(struct api_request *rq);
void call_server_remove(struct api_request *rq);

/* Helpers of several of them. */
extern const struct api_param discover_params[]; /* what a sweep is to do, ended by name NULL */
const char *param_text(const json_t *params, const char *name); /* NULL when not given */
/* A number that must not be negative; *out stays when it is not given. -1 and err (invalid-argument). */
int param_number(const json_t *params, const char *name, int64_t *out, struct err *err);
/* `name` is a time ("since"), or `ago` how long ago it was ("since_ms"): *out in ms of the wall clock; it
 * stays when neither is given. -1 and err (invalid-argument). */
int param_time(const json_t *params, const char *name, const char *ago, int64_t *out, struct err *err);
/* How many at most: from 1, 50 when it is not given. -1 and err (invalid-argument). */
int param_limit(const json_t *params, size_t *limit, struct err *err);
/* Milliseconds as RFC 3339, or null for 0. New reference. */
json_t *json_time(int64_t wall_ms);
/* Tags as {name: text}; a null is a tag to be removed. NULL is fine. 0, or -1 and err (invalid-argument). */
int check_tags(const json_t *tags, struct err *err);
/* The names of hosts, folded. New reference. */
json_t *json_folded(const struct hosts *hosts);

#endif
