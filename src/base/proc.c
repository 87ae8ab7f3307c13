#include "base/proc.h"

#include "base/file.h"
#include "base/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LIMIT = 1 << 20, PATH_SIZE = 64 };

/* When the machine started, in seconds since 1970; 0: unknown. */
static time_t boot_time(void)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (file_read("/proc/stat", LIMIT, &text) < 0)
        return 0;
    const char *line = strstr(strbuf_text(&text), "\nbtime ");
    return line ? (time_t)strtoll(line + strlen("\nbtime "), NULL, 10) : 0;
}

/* A field of /proc/PID/stat, as proc(5) counts them from 1; the second, a name in parentheses, may
   hold anything. 0 where there is none. */
static long long field(const char *stat, int number)
{
    const char *at = strrchr(stat, ')');

    for (int i = 2; at && i < number; i++)
        at = strchr(at + 1, ' ');
    return at ? strtoll(at, NULL, 10) : 0;
}

static bool read_stat(struct proc *proc, pid_t process)
{
    enum { PARENT = 4, TERMINAL = 7, START = 22 };
    char path[PATH_SIZE];
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    if (file_read(path, LIMIT, &text) < 0)
        return false;
    const char *stat = strbuf_text(&text), *name = strchr(stat, '('), *end = strrchr(stat, ')');
    time_t boot = boot_time();
    proc->parent = (pid_t)field(stat, PARENT);
    proc->stopped = end && strncmp(end, ") T", 3) == 0;
    proc->terminal = field(stat, TERMINAL) != 0;
    proc->since = boot ? boot + (time_t)(field(stat, START) / sysconf(_SC_CLK_TCK)) : 0;
    if (name && end && name < end)
        snprintf(proc->command, sizeof proc->command, "[%.*s]", (int)(end - name - 1), name + 1);
    return true;
}

/* The words of its command line, with a space between them. */
static void read_command(struct proc *proc, pid_t process)
{
    char path[PATH_SIZE];
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)process);
    file_read(path, LIMIT, &text);
    if (!text.length)
        return;
    size_t length = text.length - !text.text[text.length - 1];
    if (length >= sizeof proc->command)
        length = sizeof proc->command - 1;
    for (size_t i = 0; i < length; i++)
        proc->command[i] = (char)(text.text[i] ? text.text[i] : ' ');
    proc->command[length] = '\0';
}

void proc_read(struct proc *proc, pid_t process)
{
    char path[PATH_SIZE];
    struct stat st;

    *proc = (struct proc){.user = NO_USER};
    snprintf(path, sizeof path, "/proc/%d", (int)process);
    if (process <= 0 || stat(path, &st) < 0 || !read_stat(proc, process))
        return;
    proc->there = true;
    proc->user = st.st_uid;
    read_command(proc, process);
}
