//! Pages of rows. Services hand out rows in batches with a token for the next one; a batch is searched and sorted as a
//! whole and shown a page at a time.

use super::form::Form;
use super::link::Link;

/// The rows of a page.
pub(crate) const ROWS: usize = 25;

/// Where a page stands among the rows that were found.
pub(crate) struct Pager {
    /// The number of its first row among those of the batch; 0 if there is none.
    pub from: usize,
    /// The number of its last row.
    pub to: usize,
    /// How many rows the batch has, with a plus if there are more batches: `4`, `1000+`.
    pub total: String,
    /// The page before.
    pub previous: Option<Link>,
    /// The page after.
    pub next: Option<Link>,
}

/// The tokens of the batches up to the one that is shown: the address carries them, so that one can go back.
pub(crate) fn token(query: &Form) -> Option<String> {
    query.all("token").last().map(str::to_owned)
}

/// Cuts the page that the address asks for out of `rows`. `link` is the address of the list without its place.
pub(crate) fn cut<T>(rows: Vec<T>, query: &Form, next_token: Option<&str>, link: &Link) -> (Vec<T>, Pager) {
    let found = rows.len();
    let pages = found.div_ceil(ROWS).max(1);
    let page = query.get("page").parse::<usize>().unwrap_or(1).clamp(1, pages);
    let tokens: Vec<&str> = query.all("token").collect();
    let at = |tokens: &[&str], page: usize| {
        let link = tokens.iter().fold(link.clone(), |link, token| link.with("token", token));
        if page > 1 { link.with("page", &page.to_string()) } else { link }
    };
    let previous = match (page, tokens.split_last()) {
        (1, None) => None,
        // The last page of the batch before; how many it has is seen there.
        (1, Some((_, before))) => Some(at(before, usize::from(u16::MAX))),
        _ => Some(at(&tokens, page - 1)),
    };
    let next = match next_token {
        _ if page < pages => Some(at(&tokens, page + 1)),
        Some(next) => Some(at(&[&tokens[..], &[next]].concat(), 1)),
        None => None,
    };
    let skipped = (page - 1) * ROWS;
    let shown: Vec<T> = rows.into_iter().skip(skipped).take(ROWS).collect();
    let from = if shown.is_empty() { 0 } else { skipped + 1 };
    let total = format!("{found}{}", if next_token.is_some() { "+" } else { "" });
    (shown, Pager { from, to: found.min(skipped + ROWS), total, previous, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        rows: usize,
        query: &str,
        next: Option<&str>,
    ) -> (usize, usize, String, Option<String>, Option<String>) {
        let link = Link::to("l", "r", base::AccountId::DEFAULT);
        let (shown, pager) = cut((1..=rows).collect(), &Form::parse(query.as_bytes()), next, &link);
        assert_eq!(shown.first().copied().unwrap_or(0), pager.from);
        assert_eq!(shown.last().copied().unwrap_or(0), pager.to);
        let text = |link: Option<Link>| {
            link.map(|link| link.to_string().replace("/_buswork/console/l?region=r", ""))
        };
        (pager.from, pager.to, pager.total, text(pager.previous), text(pager.next))
    }

    #[test]
    fn pages_follow_each_other_through_the_batches() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(check(0, "", None), (0, 0, "0".into(), None, None));
        assert_eq!(check(4, "", None), (1, 4, "4".into(), None, None));
        assert_eq!(check(60, "page=2", None), (26, 50, "60".into(), some(""), some("&page=3")));
        assert_eq!(check(60, "page=3", Some("t")), (51, 60, "60+".into(), some("&page=2"), some("&token=t")));
        assert_eq!(
            check(30, "token=t&token=u", None),
            (1, 25, "30".into(), some("&token=t&page=65535"), some("&token=t&token=u&page=2"))
        );
        assert_eq!(check(30, "page=65535", None), (26, 30, "30".into(), some(""), None));
    }
}
