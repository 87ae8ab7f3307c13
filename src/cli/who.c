#include "cli/who.h"

#include "base/scope.h"
#include "cli/json.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

void who_add_user(struct strbuf *out, uid_t user)
{
    const struct passwd *known = user == NO_USER ? NULL : getpwuid(user);

    if (known || user == NO_USER)
        strbuf_adds(out, known ? known->pw_name : "somebody");
    else
        strbuf_addf(out, "user %u", (unsigned)user);
}

void who_add_time(struct strbuf *out, time_t since)
{
    time_t now = time(NULL);
    struct tm today, day;
    char text[32];

    if (!since || !localtime_r(&now, &today) || !localtime_r(&since, &day))
        return;
    bool is_today = day.tm_year == today.tm_year && day.tm_yday == today.tm_yday;
    strftime(text, sizeof text, is_today ? "%H:%M" : "%b %d %H:%M", &day);
    strbuf_adds(out, text);
}

struct lease_holder who_is(pid_t process)
{
    struct lease_holder who = {.process = process};

    proc_read(&who.proc, process);
    who.user = who.proc.user;
    return who;
}

void who_add(struct strbuf *out, const struct lease_holder *who)
{
    const struct proc *proc = &who->proc;

    who_add_user(out, who->user);
    if (!who->process)
        return;
    strbuf_adds(out, proc->since ? " since " : "");
    who_add_time(out, proc->since);
    strbuf_addf(out, ", process %d", (int)who->process);
    if (proc->there)
        strbuf_addf(out, ": %s", proc->command);
    else
        strbuf_adds(out, ", which has ended and left others, or cannot be seen from here");
}

json_t *who_json(const struct lease_holder *who)
{
    scope(strbuf_release) struct strbuf name = STRBUF_INIT;
    const struct proc *proc = &who->proc;
    bool known = who->user != NO_USER;

    if (known)
        who_add_user(&name, who->user);
    if (name.failed)
        return NULL;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "user",
                     json_text(known ? strbuf_text(&name) : NULL), "user_id",
                     json_known(known, who->user), "process",
                     json_known(who->process > 0, (uint64_t)who->process), "since",
                     json_known(proc->since > 0, (uint64_t)proc->since), "command",
                     json_text(proc->there ? proc->command : NULL));
}

bool who_forgot(const struct proc *proc)
{
    struct proc parent;

    /* Who loses its parent becomes the child of process 1 or of the user's systemd. */
    proc_read(&parent, proc->parent);
    return proc->there && proc->user == getuid() && !proc->terminal &&
           (proc->parent <= 1 || strstr(parent.command, "systemd --user"));
}
