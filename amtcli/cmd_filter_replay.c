/* filter replay: what a filter file would have done to captured packets. */
#include <inttypes.h>
#include <stdio.h>

#include "amtcli/cmd_filter_file.h"
#include "amtcli/filter_input.h"
#include "amtcli/output.h"
#include "base/text.h"
#include "filters/replay.h"

static const struct option_row replay_options[] = {
    {"write-lost", 'w', OPTION_FILE, "FILE", "write the packets that would be dropped as a capture"},
    {NULL},
};

static json_t *rows_json(const struct ruleset *rules, const struct replay *replay)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < rules->count; i++) {
        const struct replay_rule *rule = &replay->rules[i];

        json_array_append_new(
            rows, json_pack("{s:s, s:I, s:I, s:I, s:I}", "rule", rules->rules[i].name, "out",
                            (json_int_t)rule->hits[SD_TX], "in", (json_int_t)rule->hits[SD_RX], "dropped_out",
                            (json_int_t)rule->drops[SD_TX], "dropped_in", (json_int_t)rule->drops[SD_RX]));
    }
    return rows;
}

static json_t *way_json(const struct replay_count *way)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "packets", (json_int_t)way->packets, "bytes",
                     (json_int_t)way->bytes, "dropped", (json_int_t)way->dropped, "dropped_bytes",
                     (json_int_t)way->dropped_bytes, "by_default", (json_int_t)way->by_default);
}

static void print_json(const struct filter_input *input, const struct replay *replay)
{
    json_t *out = json_pack("{s:s, s:b, s:I, s:I, s:I, s:o, s:o, s:o}", "host", buf_str(&replay->host),
                            "host_guessed", (int)replay->host_guessed, "packets", (json_int_t)replay->packets,
                            "others", (json_int_t)replay->others, "spoofed", (json_int_t)replay->spoofed,
                            "out", way_json(&replay->ways[SD_TX]), "in", way_json(&replay->ways[SD_RX]),
                            "rules", rows_json(input->rules, replay));

    json_object_set_new(out, "placeholders", filter_placeholders_json(input));
    json_object_set(out, "addresses", input->addresses);
    output_json(out);
    json_decref(out);
}

static void print_rows(enum format format, const struct filter_input *input, const struct replay *replay)
{
    static const struct column columns[] = {{"RULE", "rule"},
                                            {"OUT", "out"},
                                            {"IN", "in"},
                                            {"DROPPED OUT", "dropped_out"},
                                            {"DROPPED IN", "dropped_in"},
                                            {NULL}};
    json_t *rows = rows_json(input->rules, replay);

    output_rows(format, rows, columns);
    json_decref(rows);
}

static void print_way(const char *title, const struct replay_count *way, bool drops)
{
    printf("%s: %" PRIu64 " %s, %" PRIu64 " bytes; dropped %" PRIu64 " %s, %" PRIu64
           " bytes; no rule fits %" PRIu64 " (%s)\n",
           title, way->packets, text_plural(way->packets, "packet", "packets"), way->bytes, way->dropped,
           text_plural(way->dropped, "packet", "packets"), way->dropped_bytes, way->by_default,
           drops ? "dropped" : "passed");
}

static void print_table(const struct filter_input *input, const struct replay *replay)
{
    print_rows(FORMAT_TABLE, input, replay);
    print_way("out", &replay->ways[SD_TX], input->rules->policy.out.drop);
    print_way("in", &replay->ways[SD_RX], input->rules->policy.in.drop);
    if (replay->spoofed > 0)
        printf("dropped for a false source address: %" PRIu64 "\n", replay->spoofed);
    printf("the host is %s%s; %" PRIu64 " of %" PRIu64 " %s not its own\n", buf_str(&replay->host),
           replay->host_guessed ? " (guessed; --set host=ADDRESS says it)" : "", replay->others,
           replay->packets, text_plural(replay->packets, "packet is", "packets are"));
}

static int replay_file(struct context *ctx, struct filter_input *input)
{
    enum format format = output_format(&ctx->args);
    struct replay replay;
    struct nets own;
    struct err err = ERR_INIT;
    int code = 0, rc;

    filter_input_own(input, &own);
    rc = replay_capture(input->rules, ctx->args.operands[1], &own, args_value(&ctx->args, "write-lost"),
                        &replay, &err);
    if (rc != 0)
        code = print_failure(&err);
    filter_input_tell_names(input);
    /* of a broken capture, what could be read counts */
    if (rc == 0 || replay.packets > 0) {
        if (format == FORMAT_JSON)
            print_json(input, &replay);
        else if (format == FORMAT_CSV)
            print_rows(format, input, &replay);
        else
            print_table(input, &replay);
    }
    replay_clear(&replay);
    nets_free(&own);
    return code;
}

static int filter_replay(struct context *ctx)
{
    struct filter_input input;
    int code = filter_input_open(&input, &ctx->args, ctx->args.operands[0], NULL);

    if (code == 0)
        code = filter_input_tell(&input, FINDING_ERROR);
    if (code == 0)
        code = replay_file(ctx, &input);
    filter_input_clear(&input);
    return code;
}

static const struct option_row *const replay_tables[] = {replay_options, options_filter_names, options_output,
                                                         NULL};

const struct command command_filter_replay = {
    "filter replay",
    "FILTER CAPTURE",
    2,
    2,
    "run a capture (pcap, pcapng) through a filter file and count by rule",
    replay_tables,
    "filter replay quarantine monday.pcapng --set management-server=10.0.0.5 --set dns=10.0.0.2\n"
    "filter replay rules.xml monday.pcapng --write-lost lost.pcap",
    filter_replay};
