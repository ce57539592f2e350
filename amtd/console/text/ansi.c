#include "amtd/console/text/ansi.h"

#include <string.h>

/* --- taking apart --- */

enum state { GROUND, ESCAPE, ESCAPE_MORE, FUNCTION, FUNCTION_SKIP, STRING, STATES };

/* Classes of bytes, as ECMA-48 divides them. */
enum class {
    CONTROL,      /* C0 without those below */
    CANCEL,       /* CAN, SUB: give up a sequence */
    ESC,          /* begins one, always */
    BEL,          /* also ends a control string (xterm) */
    INTERMEDIATE, /* blank to '/' */
    PARAMETER,    /* digits ':' ';' */
    MARKER,       /* '<' to '?' */
    FINAL,        /* '@' to '~', but not those below */
    BRACKET,      /* '[': begins a function */
    OPENER,       /* 'P' 'X' ']' '^' '_': begin a control string */
    BACKSLASH,    /* behind ESC ends a control string */
    DELETE,
    HIGH, /* 0x80 on */
    CLASSES,
};

static enum class class_of(uint8_t c) {
    if (c < 0x20) return c == 0x18 || c == 0x1a ? CANCEL
    : c == 0x1b                                 ? ESC
    : c == 0x07                                 ? BEL
                                                : CONTROL;
    if (c < 0x30) return INTERMEDIATE;
    if (c < 0x40) return c < 0x3c ? PARAMETER : MARKER;
    if (c >= 0x7f) return c == 0x7f ? DELETE : HIGH;
    if (c == '[') return BRACKET;
    if (c == '\\') return BACKSLASH;
    return strchr("PX]^_", c) ? OPENER : FINAL;
}

enum action { NONE, TEXT, TELL, BEGIN, NUMBER, MARK, END };

struct cell {
    uint8_t action, next;
};

/* State x class. A control within a function is carried out at once (ECMA-48 5.4 leaves it open; terminals
 * do). */
static const struct cell table[STATES][CLASSES] = {
    [GROUND] = {[CONTROL] = {TELL, GROUND},
                [CANCEL] = {NONE, GROUND},
                [ESC] = {NONE, ESCAPE},
                [BEL] = {TELL, GROUND},
                [INTERMEDIATE] = {TEXT, GROUND},
                [PARAMETER] = {TEXT, GROUND},
                [MARKER] = {TEXT, GROUND},
                [FINAL] = {TEXT, GROUND},
                [BRACKET] = {TEXT, GROUND},
                [OPENER] = {TEXT, GROUND},
                [BACKSLASH] = {TEXT, GROUND},
                [DELETE] = {NONE, GROUND},
                [HIGH] = {TEXT, GROUND}},
    [ESCAPE] = {[CONTROL] = {TELL, ESCAPE},
                [CANCEL] = {NONE, GROUND},
                [ESC] = {NONE, ESCAPE},
                [BEL] = {TELL, ESCAPE},
                [INTERMEDIATE] = {NONE, ESCAPE_MORE},
                [PARAMETER] = {NONE, GROUND},
                [MARKER] = {NONE, GROUND},
                [FINAL] = {NONE, GROUND},
                [BRACKET] = {BEGIN, FUNCTION},
                [OPENER] = {BEGIN, STRING},
                [BACKSLASH] = {NONE, GROUND},
                [DELETE] = {NONE, ESCAPE},
                [HIGH] = {TEXT, GROUND}},
    [ESCAPE_MORE] = {[CONTROL] = {TELL, ESCAPE_MORE},
                     [CANCEL] = {NONE, GROUND},
                     [ESC] = {NONE, ESCAPE},
                     [BEL] = {TELL, ESCAPE_MORE},
                     [INTERMEDIATE] = {NONE, ESCAPE_MORE},
                     [PARAMETER] = {NONE, GROUND},
                     [MARKER] = {NONE, GROUND},
                     [FINAL] = {NONE, GROUND},
                     [BRACKET] = {NONE, GROUND},
                     [OPENER] = {NONE, GROUND},
                     [BACKSLASH] = {NONE, GROUND},
                     [DELETE] = {NONE, ESCAPE_MORE},
                     [HIGH] = {TEXT, GROUND}},
    [FUNCTION] = {[CONTROL] = {TELL, FUNCTION},
                  [CANCEL] = {NONE, GROUND},
                  [ESC] = {NONE, ESCAPE},
                  [BEL] = {TELL, FUNCTION},
                  [INTERMEDIATE] = {NONE, FUNCTION_SKIP},
                  [PARAMETER] = {NUMBER, FUNCTION},
                  [MARKER] = {MARK, FUNCTION},
                  [FINAL] = {END, GROUND},
                  [BRACKET] = {END, GROUND},
                  [OPENER] = {END, GROUND},
                  [BACKSLASH] = {END, GROUND},
                  [DELETE] = {NONE, FUNCTION},
                  [HIGH] = {TEXT, GROUND}},
    [FUNCTION_SKIP] = {[CONTROL] = {TELL, FUNCTION_SKIP},
                       [CANCEL] = {NONE, GROUND},
                       [ESC] = {NONE, ESCAPE},
                       [BEL] = {TELL, FUNCTION_SKIP},
                       [INTERMEDIATE] = {NONE, FUNCTION_SKIP},
                       [PARAMETER] = {NONE, FUNCTION_SKIP},
                       [MARKER] = {NONE, FUNCTION_SKIP},
                       [FINAL] = {NONE, GROUND},
                       [BRACKET] = {NONE, GROUND},
                       [OPENER] = {NONE, GROUND},
                       [BACKSLASH] = {NONE, GROUND},
                       [DELETE] = {NONE, FUNCTION_SKIP},
                       [HIGH] = {TEXT, GROUND}},
    [STRING] = {[CONTROL] = {NONE, STRING},
                [CANCEL] = {NONE, GROUND},
                [ESC] = {NONE, ESCAPE}, /* ends it, whatever follows; "ESC \\" is read like any other */
                [BEL] = {NONE, GROUND},
                [INTERMEDIATE] = {NONE, STRING},
                [PARAMETER] = {NONE, STRING},
                [MARKER] = {NONE, STRING},
                [FINAL] = {NONE, STRING},
                [BRACKET] = {NONE, STRING},
                [OPENER] = {NONE, STRING},
                [BACKSLASH] = {NONE, STRING},
                [DELETE] = {NONE, STRING},
                [HIGH] = {NONE, STRING}},
};

void ansi_init(struct ansi *ansi)
{
    memset(ansi, 0, sizeof(*ansi));
}

static void begin(struct ansi *ansi)
{
    ansi->mark = 0;
    ansi->count = 0;
    ansi->string_n = 0;
}

static void number(struct ansi *ansi, uint8_t c)
{
    struct ansi_param *param;

    if (ansi->count == 0)
        ansi->params[ansi->count++] = (struct ansi_param){0};
    if (c == ';' || c == ':') {
        if (ansi->count < ANSI_PARAMS_MAX)
            ansi->params[ansi->count] = (struct ansi_param){.sub = c == ':'};
        ansi->count += ansi->count <= ANSI_PARAMS_MAX; /* one more than there is room for: the rest is lost */
        return;
    }
    if (ansi->count > ANSI_PARAMS_MAX)
        return;
    param = &ansi->params[ansi->count - 1];
    param->given = true;
    param->value = param->value < 6553 ? (uint16_t)(param->value * 10 + (c - '0')) : UINT16_MAX;
}

static void act(struct ansi *ansi, const struct ansi_events *events, uint8_t action, uint8_t c)
{
    size_t count = ansi->count < ANSI_PARAMS_MAX ? ansi->count : ANSI_PARAMS_MAX;

    switch (action) {
    case TELL:
        events->control(events->arg, c);
        break;
    case BEGIN:
        begin(ansi);
        break;
    case NUMBER:
        number(ansi, c);
        break;
    case MARK:
        ansi->mark = c;
        break;
    case END:
        events->function(events->arg, c, ansi->mark, ansi->params, count);
        break;
    default:
        break;
    }
}

/* How many bytes from p on are text and nothing else. */
static size_t text_run(const uint8_t *p, size_t n)
{
    size_t i = 0;

    while (i < n && p[i] >= 0x20 && p[i] != 0x7f)
        i++;
    return i;
}

void ansi_feed(struct ansi *ansi, const struct ansi_events *events, const void *p, size_t n)
{
    const uint8_t *s = p;

    for (size_t i = 0, run; i < n; i += run) {
        struct cell cell = table[ansi->state][class_of(s[i])];

        run = 1;
        if (cell.action == TEXT) {
            run = text_run(s + i, n - i);
            events->text(events->arg, s + i, run);
        } else {
            act(ansi, events, cell.action, s[i]);
        }
        ansi->state = cell.next;
        if (ansi->state == STRING && ++ansi->string_n > ANSI_STRING_MAX)
            ansi->state = GROUND;
    }
}

/* --- style --- */

/* A colour behind 38 or 48, at params[i]: "5;N", "2;R;G;B", "5:N", "2::R:G:B". Returns how many it is. */
static size_t extended_colour(const struct ansi_param *params, size_t count, uint32_t *colour)
{
    size_t end = 0, at;

    if (count == 0)
        return 0;
    if (params[0].sub)
        while (end < count && params[end].sub)
            end++;
    else
        end = params[0].value == 5 ? 2 : params[0].value == 2 ? 4 : 1;
    if (end > count)
        return count;
    if (params[0].value == 5 && end >= 2) {
        *colour = ANSI_INDEXED | (params[1].value & 0xff);
    } else if (params[0].value == 2 && end >= 4) {
        at = params[0].sub && end >= 5 ? 2 : 1; /* a colour space stands before them */
        *colour = ANSI_RGB | (params[at].value & 0xffu) << 16 | (params[at + 1].value & 0xffu) << 8 |
                  (params[at + 2].value & 0xffu);
    }
    return end;
}

/* ECMA-48 8.3.117: what sets and what clears attributes. */
static const struct {
    uint8_t number;
    uint8_t clear, set;
} attributes[] = {
    {1, 0, ANSI_BOLD},
    {2, 0, ANSI_FAINT},
    {3, 0, ANSI_ITALIC},
    {4, 0, ANSI_UNDERLINE},
    {5, 0, ANSI_BLINK},
    {6, 0, ANSI_BLINK},
    {7, 0, ANSI_INVERSE},
    {8, 0, ANSI_HIDDEN},
    {9, 0, ANSI_STRIKE},
    {21, 0, ANSI_UNDERLINE},
    {22, ANSI_BOLD | ANSI_FAINT, 0},
    {23, ANSI_ITALIC, 0},
    {24, ANSI_UNDERLINE, 0},
    {25, ANSI_BLINK, 0},
    {27, ANSI_INVERSE, 0},
    {28, ANSI_HIDDEN, 0},
    {29, ANSI_STRIKE, 0},
};

/* Colours that are one number: base to base + 7 begin at palette entry `first`. */
static const struct {
    uint8_t base, first;
    bool background;
} palettes[] = {{30, 0, false}, {40, 0, true}, {90, 8, false}, {100, 8, true}};

static void apply_one(struct ansi_style *style, unsigned value)
{
    if (value == 39)
        style->foreground = 0;
    if (value == 49)
        style->background = 0;
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
        if (attributes[i].number == value)
            style->attributes = (style->attributes & ~(uint32_t)attributes[i].clear) | attributes[i].set;
    for (size_t i = 0; i < sizeof(palettes) / sizeof(palettes[0]); i++) {
        if (value < palettes[i].base || value > palettes[i].base + 7u)
            continue;
        *(palettes[i].background ? &style->background : &style->foreground) =
            ANSI_INDEXED | (value - palettes[i].base + palettes[i].first);
    }
}

void ansi_style_apply(struct ansi_style *style, const struct ansi_param *params, size_t count)
{
    if (count == 0)
        memset(style, 0, sizeof(*style));
    for (size_t i = 0; i < count; i++) {
        if (params[i]
                .sub) /* a finer form of the one before: "4:3" is an underline all the same, "4:0" none */
            style->attributes &= params[i].value > 0 ? UINT32_MAX : ~(uint32_t)ANSI_UNDERLINE;
        else if (params[i].value == 0)
            memset(style, 0, sizeof(*style));
        else if (params[i].value == 38)
            i += extended_colour(params + i + 1, count - i - 1, &style->foreground);
        else if (params[i].value == 48)
            i += extended_colour(params + i + 1, count - i - 1, &style->background);
        else
            apply_one(style, params[i].value);
    }
}

bool ansi_style_equal(const struct ansi_style *a, const struct ansi_style *b)
{
    return a->foreground == b->foreground && a->background == b->background && a->attributes == b->attributes;
}
