//! Which recipients lead to the same mailbox.

use std::collections::HashMap;

use bytes::Bytes;

use super::Recipient;

/// Indices of recipients by mailer and user, so that a repeated one is found among very many at once.
///
/// It follows a list that only grows. Whoever orders or replaces recipients calls [`Routes::forget`].
#[derive(Debug, Clone, Default)]
pub struct Routes {
    seen: usize,
    by_user: HashMap<(usize, Bytes), Vec<usize>>,
}

impl Routes {
    /// Takes in what was added to the list.
    pub fn follow(&mut self, recipients: &[Recipient]) {
        if self.seen > recipients.len() {
            self.forget();
        }
        for (index, recipient) in recipients.iter().enumerate().skip(self.seen) {
            if let Some(route) = &recipient.route {
                self.by_user.entry((route.mailer.0, route.user.clone())).or_default().push(index);
            }
        }
        self.seen = recipients.len();
    }

    /// Recipients for this mailer and user, in order.
    pub fn find(&self, mailer: usize, user: &Bytes) -> &[usize] {
        self.by_user.get(&(mailer, user.clone())).map_or(&[], Vec::as_slice)
    }

    /// The list is another one.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MailerId;
    use crate::envelope::Triple;

    #[test]
    fn it_follows_a_list_that_grows() {
        let recipient = |user: &'static str| {
            let mut recipient = Recipient::new(user);
            recipient.route = Some(Triple { mailer: MailerId(1), host: Bytes::new(), user: user.into() });
            recipient
        };
        let mut list = vec![recipient("a"), recipient("b"), Recipient::new("open")];
        let mut routes = Routes::default();
        routes.follow(&list);
        list.push(recipient("a"));
        routes.follow(&list);
        assert_eq!(routes.find(1, &"a".into()), [0, 3]);
        assert_eq!(routes.find(2, &"a".into()), [0usize; 0]);
        list.truncate(1);
        routes.follow(&list);
        assert_eq!(routes.find(1, &"a".into()), [0]);
        assert_eq!(routes.find(1, &"b".into()), [0usize; 0]);
    }
}
