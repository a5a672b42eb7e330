/* fields: see fields.h. */
#include "fields.h"

static inline bool is_name_char(char c)
{
	static const bool is[256] = {
		['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
		['_'] = true,	      ['-'] = true,	    ['.'] = true,
	};

	return is[(unsigned char)c];
}

static inline bool is_between(char c)
{
	static const bool is[256] = {
		[' '] = true, ['\t'] = true, [','] = true,
		[';'] = true, ['\n'] = true, ['\r'] = true,
	};

	return is[(unsigned char)c];
}

/* Where the quote is that ends the value that begins at from; the end when there is none. */
static size_t quote_end(struct span s, size_t from)
{
	while (from < s.len && s.ptr[from] != '"')
		from += s.ptr[from] == '\\' ? 2 : 1;
	return from < s.len ? from : s.len;
}

static struct span piece(struct span s, size_t from, size_t to)
{
	return span_first(span_skip(s, from), to > from ? to - from : 0);
}

static void add(struct fields *f, struct span name, struct span value)
{
	if (f->count < FIELDS_MAX)
		f->at[f->count++] = (struct field){name, value};
}

static size_t name_end(struct span s, size_t from)
{
	while (from < s.len && is_name_char(s.ptr[from]))
		from++;
	return from;
}

/* One value that begins at n, in quotes or up to what stands between pairs; *ret its end. */
static struct span value_at(struct span s, size_t n, size_t *ret)
{
	size_t end;

	if (n < s.len && s.ptr[n] == '"') {
		end = quote_end(s, n + 1);
		*ret = end < s.len ? end + 1 : s.len;
		return piece(s, n + 1, end);
	}
	for (end = n; end < s.len && !is_between(s.ptr[end]);)
		end++;
	*ret = end;
	return piece(s, n, end);
}

static void read_pairs(struct span s, char sign, struct fields *ret)
{
	size_t n = 0, end;

	ret->count = 0;
	while (n < s.len && ret->count < FIELDS_MAX) {
		struct span name;

		while (n < s.len && is_between(s.ptr[n]))
			n++;
		end = name_end(s, n);
		if (end == n || end >= s.len || s.ptr[end] != sign) { /* a word of its own */
			while (n < s.len && !is_between(s.ptr[n]))
				n++;
			continue;
		}
		name = piece(s, n, end);
		add(ret, name, value_at(s, end + 1, &n));
	}
}

void fields_read(struct span s, struct fields *ret)
{
	read_pairs(s, '=', ret);
}

void fields_read_colon(struct span s, struct fields *ret)
{
	read_pairs(s, ':', ret);
}

void fields_read_commas(struct span s, struct fields *ret)
{
	size_t n = 0;

	ret->count = 0;
	while (n < s.len && ret->count < FIELDS_MAX) {
		size_t from = n, equals = s.len;

		for (; n < s.len && s.ptr[n] != ','; n++) {
			if (s.ptr[n] == '\\' && n + 1 < s.len)
				n++;
			else if (s.ptr[n] == '=' && equals == s.len)
				equals = n;
		}
		if (equals < n)
			add(ret, text_trim_left(piece(s, from, equals)), piece(s, equals + 1, n));
		n++;
	}
}

/* The next of the header's columns; "\|" does not end one. */
static bool cut_column(struct span *s, struct span *ret)
{
	size_t n = 0;

	while (n < s->len && s->ptr[n] != '|')
		n += s->ptr[n] == '\\' ? 2 : 1;
	if (n >= s->len)
		return false;
	*ret = span_first(*s, n);
	*s = span_skip(*s, n + 1);
	return true;
}

/* " name=" at n: the name's end, or 0. */
static inline size_t starts_pair(struct span s, size_t n, char between)
{
	size_t end;

	if (n && s.ptr[n - 1] != between)
		return 0; /* most often */
	end = name_end(s, n);
	return end > n && end < s.len && s.ptr[end] == '=' ? end : 0;
}

/* name=value where a value goes on up to the next " name=", its own '=' being "\=". */
static void read_extension(struct span s, char between, struct fields *ret)
{
	size_t n = 0, end;

	ret->count = 0;
	while (n < s.len && !starts_pair(s, n, between))
		n++;
	while (n < s.len && ret->count < FIELDS_MAX) {
		struct span name, value;

		end = starts_pair(s, n, between);
		if (!end)
			break;
		name = piece(s, n, end);
		for (n = end + 1; n < s.len && !starts_pair(s, n, between);)
			n += s.ptr[n] == '\\' ? 2 : 1;
		value = piece(s, end + 1, n < s.len ? n : s.len);
		value = text_trim_right(value);
		if (value.len && value.ptr[value.len - 1] == between)
			value.len--;
		if (value.len > 1 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
			value = piece(value, 1, value.len - 1);
		add(ret, name, value);
	}
}

bool cef_read(struct span s, struct cef *ret)
{
	struct span version, severity;

	if (!text_cut(&s, SPAN_LIT("CEF:")) || !cut_column(&s, &version) ||
	    !cut_column(&s, &ret->vendor) || !cut_column(&s, &ret->product) ||
	    !cut_column(&s, &version) || !cut_column(&s, &ret->id) || !cut_column(&s, &ret->name) ||
	    !cut_column(&s, &severity))
		return false;
	read_extension(s, ' ', &ret->fields);
	return true;
}

bool leef_read(struct span s, struct cef *ret)
{
	struct span version, column;
	char between = '\t';

	if (!text_cut(&s, SPAN_LIT("LEEF:")) || !cut_column(&s, &version) ||
	    !cut_column(&s, &ret->vendor) || !cut_column(&s, &ret->product) ||
	    !cut_column(&s, &column) || !cut_column(&s, &ret->id))
		return false;
	ret->name = text_none();
	if (span_starts(version, SPAN_LIT("2.")) && cut_column(&s, &column) && column.len == 1)
		between = column.ptr[0]; /* else "x09", a tab */
	read_extension(s, between, &ret->fields);
	return true;
}

struct span fields_first(const struct fields *f, const char *name)
{
	struct span wanted = span_of(name);

	for (unsigned i = 0; i < f->count; i++)
		if (span_eq(f->at[i].name, wanted))
			return f->at[i].value;
	return text_none();
}

struct span fields_last(const struct fields *f, const char *name)
{
	struct span wanted = span_of(name);

	for (unsigned i = f->count; i-- > 0;)
		if (span_eq(f->at[i].name, wanted))
			return f->at[i].value;
	return text_none();
}

bool fields_once(const struct fields *f, const char *name, struct span *ret)
{
	*ret = fields_first(f, name);
	return span_eq(*ret, fields_last(f, name));
}

bool csv_cut(struct span *rest, struct span *ret)
{
	size_t end = 0;

	if (!rest->len)
		return false;
	if (rest->ptr[0] == '"') {
		for (end = 1; end < rest->len; end++) {
			if (rest->ptr[end] != '"')
				continue;
			if (end + 1 == rest->len || rest->ptr[end + 1] != '"')
				break;
			end++; /* "" is one of its own */
		}
		*ret = piece(*rest, 1, end);
		end = end < rest->len ? end + 1 : end;
	} else {
		while (end < rest->len && rest->ptr[end] != ',')
			end++;
		*ret = span_first(*rest, end);
	}
	*rest = span_skip(*rest, end < rest->len ? end + 1 : end);
	return true;
}
