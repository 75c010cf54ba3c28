//! Positions of users in several lists.

use super::List;
use super::position::Position;
use crate::directory::record::Live;
use crate::user::ExternalId;

/// Positions of users in lists. The lists ascend, and so do the positions in each.
#[derive(Debug, Default)]
pub struct Places(Vec<(List, Vec<Position>)>);

impl Places {
    /// Adds a position, if it is not there yet.
    pub fn add(&mut self, list: List, position: Position) {
        // Each is put in its place: to sort takes 5 KB of the component for each type that is sorted.
        let place = self.0.partition_point(|(other, _)| *other < list);
        match self.0.get_mut(place) {
            Some((known, positions)) if *known == list => {
                if let Err(place) = positions.binary_search(&position) {
                    positions.insert(place, position);
                }
            }
            _ => self.0.insert(place, (list, vec![position])),
        }
    }

    /// All lists, with the positions in each.
    pub fn lists(&self) -> &[(List, Vec<Position>)] {
        &self.0
    }

    /// Keeps some of the lists.
    pub fn retain_lists(&mut self, is_kept: impl Fn(&List) -> bool) {
        self.0.retain(|(list, _)| is_kept(list));
    }

    /// Removes what is in `others`, too.
    pub fn remove_all(&mut self, others: &Places) {
        self.0.retain_mut(|(list, positions)| {
            let others = others.0.iter().filter(|(other, _)| other == list);
            positions.retain(|position| !others.clone().any(|(_, other)| other.contains(position)));
            !positions.is_empty()
        });
    }

    /// Adds what is in `others`. From then on the lists need not ascend, so that nothing can be
    /// [added](Places::add) any more.
    pub fn append(&mut self, others: Places) {
        self.0.extend(others.0);
    }
}

/// Where lists lead to a user already, as a request wrote them before it tried in vain to change the
/// record. They need not be written again.
///
/// Until the request ends, the ids stay there, marked `moving`: whoever removes a mark counts that in
/// the record first, see [`Live::unmarked`]. Only the list of last changes loses ids otherwise, so
/// its places are not here.
#[derive(Default)]
pub struct Led {
    pub places: Places,
    /// The external id whose list does.
    pub external_id: Option<ExternalId>,
    unmarked: u32,
}

impl Led {
    /// Forgets all of that if a mark on the user was removed since.
    pub fn renew(&mut self, user: &Live) {
        if self.unmarked != user.unmarked {
            *self = Led {
                unmarked: user.unmarked,
                ..Led::default()
            };
        }
    }
}
