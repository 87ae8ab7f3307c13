#include "cli/apply.h"
#include "cli/json.h"

static json_t *json_file(const struct hook_file *file, bool written)
{
    static const char *const words[] = {[HOOK_ABSENT] = "absent",
                                        [HOOK_SAME] = "same",
                                        [HOOK_OURS] = "ours",
                                        [HOOK_EDITED] = "edited",
                                        [HOOK_FOREIGN] = "foreign"};
    bool differs = file->state != HOOK_SAME;

    return json_pack("{s:s, s:s, s:b, s:b, s:o}", "path", file->path, "before", words[file->state],
                     "differs", differs, "written", differs && written, "kept_as",
                     json_text(file->keep));
}

void apply_json_files(const struct hook_set *files, bool written)
{
    json_put("files", json_list_of(i, files->count, json_file(&files->items[i], written)));
}

void apply_json_source(const struct section *section)
{
    json_put("source", json_pack("{s:o, s:o}", "section", json_text(section->file),
                                 "environment_file", json_text(section->environment_file)));
}

/* A machine that this run serves. */
static json_t *json_host(const struct apply *apply, const struct host_team *host)
{
    return json_pack("{s:o, s:o}", "host", json_text(host->host), "plan",
                     json_plan(team_plan(&host->team, apply->user)));
}

void apply_json(const struct apply *apply)
{
    const struct apply_report *report = &apply->report;
    const struct variable_row *rows = report->variables.items;
    int version = apply->shown->team.machine.driver_version;

    json_put("environment", json_environment(&apply->environment));
    apply_json_source(&apply->section);
    json_put("driver_cuda_version", json_known(version, (uint64_t)version));
    json_put("plan", json_plan(apply->plan));
    json_put("inventory", json_text(apply->options->inventory));
    json_put("hosts",
             json_list_of(i, apply->hosts.count, json_host(apply, &apply->hosts.items[i])));
    json_put("differs", json_boolean(report->differs));
    json_put("written", json_boolean(report->written && report->differs));
    json_put("activate", json_text(report->activate));
    json_put("variables", json_list_of(i, report->variables.count,
                                       json_variable_row(rows[i].name, rows[i].now, rows[i].then)));
    apply_json_files(&apply->install.files, report->written);
}
