//! Chance that can be repeated: the same seed gives the same lives on every machine.

/// SplitMix64, by Steele, Lea and Flood: small, and good enough to pick steps.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to one below the bound.
    pub fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound)).expect("less than a u32 is one")
    }

    pub fn between(&mut self, least: u32, most: u32) -> i64 {
        i64::from(least + self.below(most - least + 1))
    }

    pub fn one_in(&mut self, many: u32) -> bool {
        self.below(many) == 0
    }

    pub fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        let bound = u32::try_from(among.len()).expect("lists of choices are short");
        let place = usize::try_from(self.below(bound)).expect("a place in a list is a usize");
        among[place]
    }
}
